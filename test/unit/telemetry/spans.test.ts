import { createHash } from "node:crypto";
import { describe, expect, it } from "vitest";
import type { Decision } from "../../../src/core/policy/decision.ts";
import type { FinishedTask } from "../../../src/core/queue/task.ts";
import type { Signal } from "../../../src/core/signals/signal.ts";
import { traceOf } from "../../../src/core/signals/trace.ts";
import { decisionKey, decisionSpans } from "../../../src/core/telemetry/decision-spans.ts";
import { otlpSpan, traceDocument } from "../../../src/core/telemetry/otlp.ts";
import { reactionSpans } from "../../../src/core/telemetry/reaction-spans.ts";
import type { Payload, Preset, Span, SpanContext } from "../../../src/core/telemetry/span.ts";
import { placeOf } from "../../../src/core/telemetry/span-ids.ts";
import { readTaskItem, writeTaskItem } from "../../../src/core/telemetry/task-item.ts";
import { taskKey, taskSpans } from "../../../src/core/telemetry/task-spans.ts";
import { attributesOf, spansIn, TraceRequest } from "../../harness/otlp-schema.ts";
import { aTask, START } from "./finished-task.ts";

const contextOf = (payload: Payload = "none"): SpanContext => ({
  ecosystem: "eco",
  payload,
  digest: (text) => createHash("sha256").update(text).digest("hex"),
});
const context = contextOf();

/** As a strict receiver reads them. */
function received(spans: readonly Span[], preset: Preset | null = null) {
  const as = { ecosystem: "eco", preset };
  const texts = spans.map((span) => JSON.stringify(otlpSpan(span, as)));
  return spansIn(TraceRequest.parse(JSON.parse(traceDocument(texts, "eco"))));
}
const spansOfTask = (task: FinishedTask, payload: Payload = "none", input: unknown = { secret: "in" }) => {
  const item = writeTaskItem(task, () => JSON.stringify(input), payload);
  return taskSpans(readTaskItem("work", item, true), contextOf(payload));
};
const shape = (spans: readonly Span[]) =>
  spans.map(({ name, startMs, endMs, attributes }) => [
    name,
    startMs - START,
    endMs - START,
    attributes["error.type"] ?? null,
  ]);

describe("the spans of a finished task", () => {
  it("are the task, its wait and its run, each with the task above it", () => {
    const spans = spansOfTask(aTask());
    expect(shape(spans)).toEqual([
      ["task REVIEW", 0, 30, null],
      ["receive work", 0, 10, null],
      ["invoke_agent coder", 10, 30, null],
    ]);
    const [whole, ...parts] = spans;
    expect(parts.map(({ parentSpanId }) => parentSpanId)).toEqual([whole?.spanId, whole?.spanId]);
    expect(new Set(spans.map(({ traceId }) => traceId)).size).toBe(1);
    expect(whole?.parentSpanId).toBeUndefined();
  });

  it("have a wait and a run for each attempt, with how the run ended", () => {
    const history: FinishedTask["history"] = [
      { atMs: START, event: "queued" },
      { atMs: START + 1, event: "leased", attempt: 1, worker: "a" },
      { atMs: START + 2, event: "returned", worker: "a" },
      { atMs: START + 3, event: "leased", attempt: 1, worker: "b" },
      { atMs: START + 5, event: "retry", attempt: 1, worker: "b", error: "boom" },
      { atMs: START + 9, event: "leased", attempt: 2, worker: "c" },
      { atMs: START + 20, event: "timed_out", attempt: 2, worker: "c" },
      { atMs: START + 21, event: "leased", attempt: 3, worker: "c" },
      { atMs: START + 30, event: "failed", attempt: 3, worker: "c", error: "boom" },
    ];
    const spans = spansOfTask(aTask({ outcome: "failed", attempt: 3, history }));
    expect(shape(spans)).toEqual([
      ["task REVIEW", 0, 30, "failed"],
      ["receive work", 0, 1, null],
      ["receive work", 2, 3, null],
      ["invoke_agent coder", 3, 5, "failed"],
      ["receive work", 5, 9, null],
      ["invoke_agent coder", 9, 20, "timed_out"],
      ["receive work", 20, 21, null],
      ["invoke_agent coder", 21, 30, "failed"],
    ]);
    expect(new Set(spans.map(({ spanId }) => spanId)).size).toBe(spans.length);
  });

  it("are the task and its wait where no worker ever had it", () => {
    const history: FinishedTask["history"] = [
      { atMs: START, event: "queued" },
      { atMs: START + 30, event: "expired", error: "too late" },
    ];
    expect(shape(spansOfTask(aTask({ outcome: "expired", attempt: 0, worker: null, history })))).toEqual([
      ["task REVIEW", 0, 30, "expired"],
      ["receive work", 0, 30, "expired"],
    ]);
  });

  it("leave out what a history that was too long does not say", () => {
    const history: FinishedTask["history"] = [
      { atMs: START, event: "queued" },
      { atMs: START + 1, event: "leased", attempt: 1, worker: "a" },
      { atMs: START + 20, event: "retry", attempt: 7, worker: "b", error: "boom" },
      { atMs: START + 22, event: "leased", attempt: 8, worker: "c" },
      { atMs: START + 30, event: "complete", attempt: 8, worker: "c" },
    ];
    expect(shape(spansOfTask(aTask({ attempt: 8, history })))).toEqual([
      ["task REVIEW", 0, 30, null],
      ["receive work", 0, 1, null],
      ["invoke_agent coder", 22, 30, null],
    ]);
  });

  it("have the same ids when they are made again, and others for a task that was queued again under its id", () => {
    const ids = (task: FinishedTask) => spansOfTask(task).map(({ spanId }) => spanId);
    expect(ids(aTask())).toEqual(ids(aTask()));
    const again = new Set(ids(aTask({ seq: 2, createdMs: START + 1 })));
    expect(ids(aTask()).some((id) => again.has(id))).toBe(false);
  });

  it("continue the trace of the signal that led to the task, below the decision that put it into the queue", () => {
    const origin = { id: "s1.e", trace: `00-${"a".repeat(32)}-${"b".repeat(16)}-01` };
    const trace = traceOf(decisionKey("rule", origin.id, "signal"), origin);
    const [decided] = decisionSpans(aDecision({ signal: { seq: 1, signal: "X", ...origin } }), context);
    const [whole] = spansOfTask(aTask({ cause: { id: origin.id, trace, depth: 1 } }));
    expect(decided).toMatchObject({ traceId: "a".repeat(32), parentSpanId: "b".repeat(16) });
    expect(whole).toMatchObject({ traceId: "a".repeat(32), parentSpanId: decided?.spanId });
    // What the queue tells of the end names the task's span as its parent.
    const task = aTask();
    expect(placeOf(traceOf(taskKey("eco/work", task), origin), "")).toMatchObject({
      traceId: "a".repeat(32),
      spanId: spansOfTask(task)[0]?.spanId,
    });
  });
});

describe("what leaves of payloads", () => {
  const failed = aTask({
    outcome: "failed",
    error: "cannot read PASSWORD",
    resultJson: '{"answer":"PASSWORD"}',
    history: [
      { atMs: START, event: "queued" },
      { atMs: START + 10, event: "leased", attempt: 1, worker: "w" },
      { atMs: START + 30, event: "failed", attempt: 1, worker: "w", error: "cannot read PASSWORD" },
    ],
  });
  const text = (payload: Payload) => JSON.stringify(received(spansOfTask(failed, payload, { prompt: "PASSWORD" })));

  it("is nothing by default, the names of fields with keys, and everything with all", () => {
    expect([text("none").includes("PASSWORD"), text("none").includes("prompt")]).toEqual([false, false]);
    expect([text("keys").includes("PASSWORD"), text("keys").includes("prompt")]).toEqual([false, true]);
    expect(text("all").match(/PASSWORD/g)).toHaveLength(4);
  });

  it("is nothing of what was gathered under settings that do not hold any more", () => {
    const item = writeTaskItem(aTask(), () => '"in"', "all");
    expect(readTaskItem("work", item, false)).not.toHaveProperty("input");
  });
});

describe("the spans of a decision", () => {
  it("are the decision, and below it the question to a model with its tokens", () => {
    const asked = {
      model: "small",
      prompt: "which?",
      choices: ["a", "b"],
      state: "answered" as const,
      choice: "a",
      tokens_in: 12,
      tokens_out: 3,
      cost_usd: 0.5,
      duration_ms: 40,
    };
    const [decided, chat] = received(decisionSpans(aDecision({ asked }), context), "langfuse");
    expect(decided).toMatchObject({ name: "decide rule", kind: 1 });
    expect(chat).toMatchObject({ name: "chat small", kind: 3, parentSpanId: decided?.spanId });
    expect(chat && attributesOf(chat)).toMatchObject({
      "gen_ai.operation.name": "chat",
      "gen_ai.request.model": "small",
      "gen_ai.usage.input_tokens": 12,
      "gen_ai.usage.output_tokens": 3,
      "langfuse.observation.type": "generation",
      "langfuse.observation.cost_details": '{"total":0.5}',
    });
    expect(JSON.stringify(chat)).not.toContain("which?");
    expect(BigInt(chat?.endTimeUnixNano ?? 0) - BigInt(chat?.startTimeUnixNano ?? 0)).toBe(40_000_000n);
  });

  it("say why a fallback was taken, and which condition suppressed a rule", () => {
    const asked = { model: "m", prompt: "p", choices: [], state: "fallback" as const, choice: "b", why: "timeout" };
    const [, chat] = decisionSpans(aDecision({ asked }), context);
    expect(chat?.attributes["error.type"]).toBe("timeout");
    const [suppressed] = decisionSpans(aDecision({ outcome: "suppressed", reason: "cooldown" }), context);
    expect(suppressed?.attributes["ganglion.decision.reason"]).toBe("cooldown");
    expect(suppressed?.failed).toBeUndefined();
  });

  it("tell a decision on a signal from the one when nothing followed in time", () => {
    const [at, late] = [aDecision(), aDecision({ by: "time" })].map((one) => decisionSpans(one, context)[0]?.spanId);
    expect(at).not.toBe(late);
  });
});

describe("the spans of a reaction", () => {
  const trigger = `00-${"a".repeat(32)}-${"b".repeat(16)}-01`;
  const signal: Signal = {
    seq: 9,
    id: "s9.e",
    signal: "Q_REACTION_FAILED",
    source: "reaction/build/host-1",
    ecosystem: "eco",
    timestamp: new Date(START + 500).toISOString(),
    received_at: new Date(START + 600).toISOString(),
    facts: { error: "exited with 2", exit_code: 2, duration_ms: 400, attempts: 3 },
    cause: "s8.e",
    trace: traceOf("reaction/build/host-1:s8.e", { id: "s8.e", trace: trigger }),
  };

  it("are the run, named by the trace of its signal, and the command below it", () => {
    const [run, command] = reactionSpans(signal, trigger, context);
    expect(run).toMatchObject({
      name: "invoke_agent build",
      traceId: "a".repeat(32),
      parentSpanId: "b".repeat(16),
      spanId: signal.trace?.slice(36, 52),
      startMs: START + 100,
      endMs: START + 500,
    });
    expect(run?.attributes).toMatchObject({ "error.type": "exit_2", "ganglion.reaction.host": "host-1" });
    expect(command).toMatchObject({ name: "command build", parentSpanId: run?.spanId });
  });

  it("stand at the top where the signal that led to it is not known any more", () => {
    expect(reactionSpans(signal, undefined, context)[0]?.parentSpanId).toBeUndefined();
  });
});

describe("the trace of a chain", () => {
  it("is that of a valid traceparent, and follows from the id where there is none", () => {
    const zeroes = `00-${"0".repeat(32)}-${"b".repeat(16)}-01`;
    expect(placeOf(`00-${"c".repeat(32)}-${"0".repeat(16)}-01`, "s1")).toEqual({
      traceId: "c".repeat(32),
      spanId: undefined,
    });
    const derived = placeOf(undefined, "s1");
    expect(derived.traceId).toMatch(/^[0-9a-f]{32}$/);
    expect(placeOf(zeroes, "s1")).toEqual(derived);
    expect(placeOf("nonsense", "s1")).toEqual(derived);
  });
});

describe("spans for Langfuse", () => {
  it("name the task, its agent, type, session, environment and tags, and hold its payload with all alone", () => {
    const [whole, , run] = received(spansOfTask(aTask(), "all"), "langfuse");
    expect(whole?.name).toBe("task_t1");
    expect(whole && attributesOf(whole)).toMatchObject({
      "langfuse.trace.name": "task_t1",
      "langfuse.environment": "eco",
      "langfuse.trace.tags": ["agent:coder", "type:REVIEW", "queue:work"],
      "session.id": whole?.traceId,
      "langfuse.observation.input": '{"secret":"in"}',
      "langfuse.observation.output": '{"out":1}',
    });
    expect(run && attributesOf(run)).toMatchObject({
      "langfuse.observation.type": "agent",
      "gen_ai.agent.name": "coder",
      "session.id": whole?.traceId,
    });
    const [quiet] = received(spansOfTask(aTask()), "langfuse");
    expect(Object.keys(quiet ? attributesOf(quiet) : {})).not.toContain("langfuse.observation.input");
  });
});

function aDecision(more: Partial<Decision> = {}): Decision {
  return {
    id: "d4096",
    rule: "rule",
    rule_version: 2,
    signal: { seq: 1, id: "s1.e", signal: "X" },
    decided_at: new Date(START).toISOString(),
    outcome: "fired",
    values: { "facts.secret": "hush" },
    effects: [],
    ...more,
  };
}
