import { describe, expect, it } from "vitest";
import type { AgentSessions } from "../../../src/core/agent-sessions/api.ts";
import { observationOf } from "../../../src/core/agent-sessions/notices.ts";
import { DEFAULT_LIMITS } from "../../../src/core/agent-sessions/verdict.ts";
import { sessionsOf } from "../../../src/core/agent-sessions/view.ts";
import type { Signal } from "../../../src/core/signals/signal.ts";
import { exported, Followed, fixture, fixtureText, hooked, hooks, MINUTE, START_MS } from "./telling.ts";

const TRACE = "4bf92f3577b34da6a3ce929d0e0e4736";
const nowMs = START_MS + MINUTE;
const view = (followed: Followed, chain?: string): AgentSessions =>
  sessionsOf(followed.sessions.values(), { limit: 10, chain }, DEFAULT_LIMITS, nowMs);
const logs = () => exported("logs", fixture("claude-code-logs.json"), nowMs);

type Metrics = {
  resourceMetrics: {
    scopeMetrics: {
      metrics: {
        name: string;
        sum: { dataPoints: { asInt?: string; asDouble?: number; startTimeUnixNano: string; timeUnixNano: string }[] };
      }[];
    }[];
  }[];
};

/** An export of the counters, `times` as high as in the file, from a start and at a time in seconds. */
function counters(temporality: "delta" | "cumulative", times: number, startS: number, atS: number): Promise<Signal[]> {
  const document = fixture(`claude-code-metrics-${temporality}.json`) as Metrics;
  const nanos = (seconds: number) => String(BigInt(START_MS + seconds * 1_000) * 1_000_000n);
  for (const { sum } of document.resourceMetrics[0]?.scopeMetrics[0]?.metrics ?? [])
    for (const point of sum.dataPoints) {
      if (point.asInt !== undefined) point.asInt = String(Number(point.asInt) * times);
      if (point.asDouble !== undefined) point.asDouble *= times;
      point.startTimeUnixNano = nanos(startS);
      point.timeUnixNano = nanos(atS);
    }
  return exported("metrics", document, START_MS + atS * 1_000);
}

describe("the counts of a session", () => {
  it("are exactly those of its events", async () => {
    const [session] = view(new Followed().take(await logs())).sessions;
    expect(session?.usage).toEqual({
      input_tokens: 20,
      output_tokens: 500,
      cache_read_tokens: 41_500,
      cache_write_tokens: 1_500,
      cost_usd: 0.02,
      requests: 2,
      api_failures: 1,
      tool_calls: 2,
      tool_failures: 1,
      prompts: 1,
      active_seconds: 0,
    });
    expect(session).toMatchObject({ model: "claude-sonnet-4-5", context_tokens: 21_508, context_share: 0.1075 });
    expect(session?.version).toBe("2.1.40");
  });

  it("are counted once where an export is repeated, whole or in part, and in any order", async () => {
    const all = await logs();
    const once = view(new Followed().take(all)).sessions[0]?.usage;
    const followed = new Followed()
      .take([...all].reverse())
      .take(await logs())
      .take(all.slice(2, 5));
    expect(view(followed).sessions[0]?.usage).toEqual(once);
  });

  it("are those of one who counts, where events and metrics count the same", async () => {
    const followed = new Followed().take(await logs()).take(await counters("delta", 1, 0, 60));
    expect(view(followed).sessions[0]?.usage).toMatchObject({
      input_tokens: 20,
      output_tokens: 500,
      cost_usd: 0.02,
      requests: 2,
      active_seconds: 11.75,
    });
  });

  it("of a chain are exactly those of its records", async () => {
    const { usage, sessions } = view(new Followed().take(await logs()), TRACE);
    expect(usage).toMatchObject({
      input_tokens: 20,
      output_tokens: 500,
      cost_usd: 0.02,
      tool_calls: 1,
      api_failures: 0,
    });
    expect(sessions[0]?.chains.map(({ chain }) => chain)).toEqual([TRACE]);
    expect(view(new Followed().take(await logs()), "0".repeat(32)).total).toBe(0);
  });

  it("of a task are those of the sessions that name the task", async () => {
    const text = fixtureText("claude-code-logs.json").replace(
      '"attributes": [',
      '"attributes": [{ "key": "ganglion.task", "value": { "stringValue": "t-17" } },',
    );
    const followed = new Followed().take(await exported("logs", JSON.parse(text), nowMs)).take(await codex());
    expect(view(followed, "t-17")).toMatchObject({ total: 1, usage: { cost_usd: 0.02, tool_calls: 2 } });
    expect(view(followed).total).toBe(2);
  });

  it("of more than twenty chains lose nothing: the oldest stand together", async () => {
    const followed = new Followed();
    for (let turn = 0; turn < 30; turn++) {
      const text = fixtureText("claude-code-logs.json")
        .replaceAll(TRACE, TRACE.replace(/..$/, (10 + turn).toString(16).padStart(2, "0")))
        .replaceAll("17900000", `1790${String(turn).padStart(4, "0")}`);
      followed.take(await exported("logs", JSON.parse(text), nowMs));
    }
    const [session] = view(followed).sessions;
    expect(session?.chains).toHaveLength(21);
    expect(session?.chains[0]?.chain).toBe("others");
    const sum = session?.chains.reduce((all, { usage }) => all + usage.output_tokens, 0);
    expect(sum).toBe(30 * 500);
  });
});

const codex = () => exported("logs", fixture("codex-logs.json"), nowMs);

describe("counters of metrics", () => {
  it("add up where they count since the export before", async () => {
    const followed = new Followed();
    for (const minute of [1, 2, 3]) followed.take(await counters("delta", 1, (minute - 1) * 60, minute * 60));
    expect(view(followed).sessions[0]?.usage).toMatchObject({
      input_tokens: 60,
      cost_usd: 0.06,
      active_seconds: 35.25,
    });
  });

  it("count once what they hold since their start", async () => {
    const followed = new Followed();
    for (const minute of [1, 2, 3]) followed.take(await counters("cumulative", minute, 0, minute * 60));
    expect(view(followed).sessions[0]?.usage).toMatchObject({
      input_tokens: 60,
      cost_usd: 0.06,
      active_seconds: 35.25,
    });
  });

  it("begin from nothing with a program that is started again", async () => {
    const followed = new Followed().take(await counters("cumulative", 3, 0, 180));
    followed.take(await counters("cumulative", 2, 240, 300)).take(await counters("cumulative", 4, 240, 360));
    expect(view(followed).sessions[0]?.usage).toMatchObject({
      input_tokens: 7 * 20,
      output_tokens: 7 * 500,
      cost_usd: 0.14,
    });
  });

  it("begin from nothing where they fall, and nobody says that they began anew", async () => {
    const followed = new Followed()
      .take(await counters("cumulative", 5, 0, 180))
      .take(await counters("cumulative", 2, 0, 240));
    expect(view(followed).sessions[0]?.usage.input_tokens).toBe(7 * 20);
  });

  it("add nothing where an export comes late, or twice", async () => {
    const followed = new Followed();
    for (const minute of [2, 1, 3, 3, 2]) followed.take(await counters("cumulative", minute, 0, minute * 60));
    expect(view(followed).sessions[0]?.usage.input_tokens).toBe(60);
  });

  it("that stand still are no sign of life", async () => {
    const followed = new Followed().take(await counters("cumulative", 1, 0, 60));
    const seen = followed.only.seen_ms;
    followed.take(await counters("cumulative", 1, 0, 120));
    expect(followed.only.seen_ms).toBe(seen);
    followed.take(await counters("cumulative", 2, 0, 180));
    expect(followed.only.seen_ms).toBe(START_MS + 180_000);
  });
});

describe("other programs", () => {
  it("Codex: tokens out of the cache are not counted with the others", async () => {
    const [session] = view(new Followed().take(await codex())).sessions;
    expect(session).toMatchObject({
      agent: "codex",
      session: "0199a213-81c0-7800-8aa1-bbab2a035a53",
      model: "gpt-5-codex",
      verdict: "idle",
      usage: {
        input_tokens: 1_600,
        cache_read_tokens: 1_000,
        output_tokens: 100,
        requests: 2,
        api_failures: 1,
        tool_calls: 1,
        prompts: 1,
      },
    });
  });

  it("any SDK: model requests and tools of its spans are counted, and its agent's own span is not", async () => {
    const [session] = view(
      new Followed().take(await exported("traces", fixture("gen-ai-traces.json"), nowMs)),
    ).sessions;
    expect(session).toMatchObject({
      agent: "billing-bot",
      session: "conv_5j66",
      verdict: "idle",
      usage: {
        input_tokens: 600,
        cache_read_tokens: 600,
        output_tokens: 60,
        requests: 2,
        tool_calls: 2,
        tool_failures: 1,
      },
    });
    expect(session?.chains[0]?.usage.input_tokens).toBe(600);
  });
});

describe("the observations of a session", () => {
  it("tell once a minute what it has used since the one before", async () => {
    const followed = new Followed().take(await logs());
    const session = followed.only;
    expect(observationOf(session, session.observed.at_ms + MINUTE - 1)).toBeUndefined();
    expect(observationOf(session, session.observed.at_ms + MINUTE)).toMatchObject({
      zooid: "claude-code:8f14e45f-ceea-467f-a0e6-4a1c3d2b9f10",
      input_tokens: 20,
      cost_usd: 0.02,
      tool_calls: 2,
      context_share: 0.1075,
    });
    expect(observationOf(session, nowMs + 10 * MINUTE)).toBeUndefined();
    followed.take(await counters("delta", 3, 60, 120));
    expect(observationOf(session, nowMs + 11 * MINUTE)).toMatchObject({
      input_tokens: 40,
      output_tokens: 1_000,
      cost_usd: 0.04,
    });
  });
});

describe("contents", () => {
  const secrets =
    /Run all the tests|npm test|git push|transcript|needs your permission|the tag is pushed|not found in file/;

  it("are in no signal, unless they are asked for", async () => {
    const all = [...(await logs()), ...(await codex())];
    for (const { input } of hooks()) for (const signal of await hooked(input, nowMs)) all.push(signal);
    expect(JSON.stringify(all)).not.toMatch(secrets);
    const asked: Signal[] = [];
    for (const { input } of hooks()) for (const signal of await hooked(input, nowMs, "all")) asked.push(signal);
    expect(JSON.stringify(asked)).toMatch(/Run all the tests/);
    expect(JSON.stringify(asked)).toMatch(/git push/);
  });
});
