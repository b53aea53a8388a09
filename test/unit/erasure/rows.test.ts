import { describe, expect, test } from "vitest";
import { Mentions } from "../../../src/core/erasure/mentions.ts";
import { packFinished, packTerms } from "../../../src/core/queue/stored-task.ts";
import type { FinishedTask, TaskTerms } from "../../../src/core/queue/task.ts";
import { auditErasure } from "../../../src/durable-objects/audit/erasure.ts";
import { deadLettersErasure } from "../../../src/durable-objects/dead-letters/erasure.ts";
import { boardErasure } from "../../../src/durable-objects/file-tasks/erasure.ts";
import { answersErasure } from "../../../src/durable-objects/idempotency/erasure.ts";
import { windowErasure } from "../../../src/durable-objects/introspection/erasure.ts";
import { modelsErasure } from "../../../src/durable-objects/models/erasure.ts";
import { policyErasure } from "../../../src/durable-objects/policy/erasure.ts";
import { queueErasure } from "../../../src/durable-objects/queue/erasure.ts";
import {
  type ErasureContext,
  type ErasureRules,
  erasedRow,
  isKept,
  referencesOfRow,
  type StoredRow,
} from "../../../src/durable-objects/shell/erasure-rules.ts";
import { telemetryErasure } from "../../../src/durable-objects/telemetry/erasure.ts";
import { webhooksErasure } from "../../../src/durable-objects/webhooks/erasure.ts";

/** The signals 7 and `anna-1` were erased. */
const CONTEXT: ErasureContext = {
  mentions: new Mentions("anna", "rows"),
  throughSeq: 100,
  reporters: new Set(["pump"]),
  erased: { seqs: new Set([7]), ids: new Set(["anna-1", "s7.abcdef"]) },
};

function left(
  table: string,
  row: StoredRow,
  rules?: ErasureRules,
  key: readonly string[] = ["rowid"],
): StoredRow | null {
  // What the log is not asked for it cannot say: a rule that concerns a row has to name the signal.
  const { seqs, ids } = referencesOfRow(table, row, rules);
  const known = {
    seqs: new Set(seqs.filter((seq) => CONTEXT.erased.seqs.has(seq))),
    ids: new Set(ids.filter((id) => CONTEXT.erased.ids.has(id))),
  };
  return erasedRow(table, row, key, { ...CONTEXT, erased: known }, rules);
}

const json = (value: unknown) => JSON.stringify(value);
const terms = (more: Partial<TaskTerms>): TaskTerms => ({
  seq: 1,
  taskId: "t-1",
  recipient: "w",
  type: "T",
  sender: null,
  priority: 5,
  createdMs: 1,
  maxAttempts: 1,
  timeoutMs: null,
  deadlineAtMs: null,
  caller: null,
  cause: null,
  ...more,
});
const finished = (more: Partial<TaskTerms>): FinishedTask => ({
  ...terms(more),
  outcome: "complete",
  finishedMs: 2,
  attempt: 1,
  worker: null,
  leaseId: null,
  error: null,
  waitedMs: 0,
  ranMs: 0,
  resultJson: '{"for":"x"}',
  history: [],
});
const caused = { cause: { id: "anna-1", depth: 1 } };
const byRule = { taskId: "ganglion.policy.0a1b2c.7.orders.0" };
const EXPECTED = { since: { seq: 7, id: "s7.abcdef", signal: "X" }, sinceMs: 1, dueMs: 2, else: [] };

describe("a row that follows from an erased signal", () => {
  const rows: [table: string, row: StoredRow, rules: ErasureRules | undefined][] = [
    ["tasks", { terms: packTerms(terms(caused)), progress: "[]", payload: "{}" }, queueErasure],
    ["tasks", { terms: packTerms(terms(byRule)), progress: "[]", payload: "{}" }, queueErasure],
    ["finished_3", { task_id: "t-1", record: packFinished(finished(caused)), payload: "{}" }, queueErasure],
    ["decided", { place: 7 * 4_096 + 3, rule: "r", body: "{}" }, policyErasure],
    ["rule_state", { kind: "flight", rule: "r", key: "k", body: json({ startedBy: "s7.abcdef" }) }, policyErasure],
    ["rule_state", { kind: "expected", rule: "r", key: "k", body: json(EXPECTED) }, policyErasure],
    ["redone", { seq: 7, changes: "[]" }, policyErasure],
    ["late", { rule: "r", key: "k", origin: "anna-1" }, policyErasure],
    ["questions", { id: "d1", body: json({ origin: { seq: 7 }, question: {} }) }, policyErasure],
    ["letters", { id: "policy.7.orders", body: json({ kind: "signal", signal: {} }) }, deadLettersErasure],
    ["letters", { id: "d", body: json({ kind: "task", task: { cause: "anna-1" } }) }, deadLettersErasure],
    ["letters", { id: "d", body: json({ kind: "signal", lineage: ["x", "anna-1"] }) }, deadLettersErasure],
    ["deliveries", { id: "d", cause: "anna-1", message: "{}" }, webhooksErasure],
    ["asked", { id: `d${7 * 4_096}`, answer: "{}" }, modelsErasure],
    ["gaps", { name: "g", body: json({ signal_id: "s7.abcdef" }) }, windowErasure],
    [
      "outgoing",
      { body: json({ signal: "X", source: "ganglion/policy", factsJson: "{}", cause: "anna-1" }) },
      undefined,
    ],
    ["deeds", { receiver: "webhook", body: json({ id: "x", cause: "y", seq: 7, effect: {} }) }, undefined],
    ["buried", { body: json({ id: "workers.7", kind: "signal", signal: {} }) }, undefined],
  ];
  test.each(rows)("goes: %s %j", (table, row, rules) => expect(left(table, row, rules)).toBeNull());

  test("stays where the signal is another's", () => {
    const row = { place: 8 * 4_096, rule: "r", body: "{}" };
    expect(left("decided", row, policyErasure)).toBe(row);
    const task = { terms: packTerms(terms({ cause: { id: "berta-1", depth: 1 } })), progress: "[]", payload: "{}" };
    expect(left("tasks", task, queueErasure)).toBe(task);
  });

  test("stays, with the name, where the source's signal came after the erasure had begun", () => {
    const row = { place: 101 * 4_096, rule: "r", body: json({ values: { who: "anna" } }) };
    expect(left("decided", row, policyErasure)).toBe(row);
  });
});

describe("a row in which the source is named", () => {
  test("has the name replaced, in columns of text and in those of JSON", () => {
    expect(left("entries", { by: "anna", target: "/v1/e/inbox/anna", status: 1 })).toEqual({
      by: "(erased)",
      target: "/v1/e/inbox/(erased)",
      status: 1,
    });
    const task = { terms: packTerms(terms({ cause: null })), progress: "[]", payload: json({ for: "anna" }) };
    expect(left("tasks", task, queueErasure)).toEqual({ ...task, payload: json({ for: "(erased)" }) });
  });

  test("loses what follows from the name beside it", () => {
    const task = { terms: packTerms(terms({ taskId: "anna/1", cause: null })), progress: "[]", payload: "{}" };
    expect(left("tasks", { ...task, place: '"coder",5,1,1' }, queueErasure)).toMatchObject({ place: null });
    const other = { ...task, terms: packTerms(terms({ cause: null })), place: '"coder",5,1,1' };
    expect(left("tasks", other, queueErasure)).toBe(other);
  });

  test("goes where its key has the name, and whole where the table says so", () => {
    expect(left("reporters", { reporter: "anna", number: 1 }, undefined, ["reporter"])).toBeNull();
    expect(left("letters", { id: "d", body: json({ signal: { source: "anna" } }) }, deadLettersErasure)).toBeNull();
    const counted = { kind: "count", rule: "r", key: "by anna", body: json({ timesMs: [], untilMs: 1 }) };
    expect(left("rule_state", counted, policyErasure, ["kind", "rule", "key"])).toBeNull();
  });

  test("goes where it would be too large without the name", () => {
    expect(
      erasedRow("t", { body: "abc ".repeat(230_000) }, [], { ...CONTEXT, mentions: new Mentions("abc", "rows") }),
    ).toBeNull();
  });

  test("stays as it is where people wrote it", () => {
    const settings = { name: "settings", value: json({ who: "anna" }) };
    expect(left("notes", settings, undefined, ["name"])).toBe(settings);
    expect(left("notes", { name: "excess", value: json(["anna"]) }, undefined, ["name"])).toMatchObject({
      value: '["(erased)"]',
    });
    expect([isKept("rules", policyErasure), isKept("endpoints", webhooksErasure), isKept("position")]).toEqual([
      true,
      true,
      true,
    ]);
    expect([isKept("decided", policyErasure), isKept("entries")]).toEqual([false, false]);
  });
});

describe("a row of what callers asked", () => {
  test("has the parts of its path replaced that name the source, or an id that begins with its name", () => {
    const entry = (target: string) => ({ number: 1, by: "me", target });
    const path = (target: string) => left("entries", entry(target), auditErasure)?.target;
    expect(path("/v1/e/signals/anna-1")).toBe("/v1/e/signals/(erased)");
    expect(path("/v1/e/inbox/an%6Ea")).toBe("/v1/e/inbox/(erased)");
    expect(path("/v1/e/policies/joanna%")).toBe("/v1/e/policies/joanna%");
  });

  test("goes where its answer names the source", () => {
    const answer = { key: "k", owner: "t", fingerprint: "f", body: json({ ids: ["anna-1"] }) };
    expect(left("answers", answer, answersErasure, ["key"])).toBeNull();
    const other = { ...answer, body: json({ ids: ["joanna-1"] }) };
    expect(left("answers", other, answersErasure, ["key"])).toBe(other);
  });

  test("goes where it waits for an export, but for how the export stands", () => {
    expect(left("batches", { number: 1, body: "{}" }, telemetryErasure)).toBeNull();
    expect(left("exported", { number: 2, items: 1, body: "{}" })).toBeNull();
    expect(left("exported", { number: 0, items: 0, body: "{}" })).toMatchObject({ number: 0 });
    expect(left("agent_sessions", { key: "s", body: json({ source: "anna" }) }, boardErasure, ["key"])).toBeNull();
  });
});

describe("the observations", () => {
  const line = (seq: number, source: string, facts: object) =>
    json({ seq, id: `s${seq}.abcdef`, signal: "OBSERVATION", source, ecosystem: "e", facts });

  test("of the source go, and those under its name, up to where the erasure began", () => {
    const kept = [line(9, "berta", { zooid: "b" }), line(101, "anna", { zooid: "anna" })];
    const body = [line(7, "anna", { zooid: "pump" }), kept[0], line(10, "carla", { zooid: "anna" }), kept[1]].join(
      "\n",
    );
    expect(left("segments_4", { last_seq: 101, body, senders: null }, windowErasure)).toMatchObject({
      body: kept.join("\n"),
    });
    expect(left("segments_4", { last_seq: 7, body: line(7, "anna", { zooid: "pump" }) }, windowErasure)).toBeNull();
  });

  test("of a history go with the names under which the source measured", () => {
    const body = json({ ok: { anna: [1], pump: [2], berta: [3] }, cpu: { berta: [4] } });
    expect(left("history", { step: 1, start: 1, body }, windowErasure)).toMatchObject({
      body: json({ ok: { berta: [3] }, cpu: { berta: [4] } }),
    });
  });

  const gap = (name: string, reason: string) => ({ name, raised_at: "2026", body: json({ reason }) });

  test("that raised a gap of a reporter of the name leave no gap", () => {
    expect(
      left("gaps", gap("cpu_bottleneck_anna", "CPU use of anna"), windowErasure, ["name", "raised_at"]),
    ).toBeNull();
    const other = gap("cpu_bottleneck_x_anna", "CPU use of x_anna");
    expect(left("gaps", other, windowErasure, ["name", "raised_at"])).toBe(other);
  });
});
