import { describe, expect, it } from "vitest";
import { readHook } from "../../../src/core/agent-sessions/claude-hooks.ts";
import { nextNoticeMs, noticesOf, observationOf } from "../../../src/core/agent-sessions/notices.ts";
import { EXPORT_KINDS, NoExport } from "../../../src/core/agent-sessions/otlp/export.ts";
import { readRecords } from "../../../src/core/agent-sessions/read-records.ts";
import { Session } from "../../../src/core/agent-sessions/session.ts";
import { takeSignal } from "../../../src/core/agent-sessions/take-signal.ts";
import { DEFAULT_LIMITS } from "../../../src/core/agent-sessions/verdict.ts";
import { sessionsOf } from "../../../src/core/agent-sessions/view.ts";
import { KNOWN_SIGNALS } from "../../../src/core/signals/known-signals.ts";
import fc from "../../fast-check.ts";
import { fixtureText, MINUTE, START_MS } from "./telling.ts";

const SIGNALS = Object.keys(KNOWN_SIGNALS).filter((name) => name.startsWith("Q_SESSION_"));
const odd = fc.oneof(
  fc.jsonValue(),
  fc.constantFrom<unknown>(1e308, -1, "__proto__", "t1", "Bash", "accept", "reject", "idle_prompt", true, false, 5),
);
const totals = fc.array(
  fc.record(
    {
      series: fc.constantFrom("input_tokens []", "__proto__", "cost_usd [1]"),
      counter: fc.constantFrom("input_tokens", "cost_usd", "constructor"),
      value: fc.oneof(fc.double({ noNaN: true }), odd),
      start: fc.oneof(fc.constantFrom("2026-09-21T14:13:20.000Z", "never"), odd),
      at: fc.oneof(fc.constantFrom("2026-09-21T14:14:20.000Z", "2026-09-21T14:13:00.000Z", "never"), odd),
    },
    { requiredKeys: ["series"] },
  ),
  { maxLength: 4 },
);
const facts = fc.record(
  {
    from: fc.constantFrom("hooks", "events", "metrics", "spans", "nobody"),
    tool: odd,
    call: odd,
    ok: odd,
    what: odd,
    decision: odd,
    how: odd,
    thread: odd,
    task: odd,
    model: odd,
    input_tokens: odd,
    cost_usd: odd,
    context_tokens: odd,
    context_share: odd,
    totals: fc.oneof(totals, odd),
  },
  { requiredKeys: [] },
);
const told = fc.record({
  signal: fc.constantFrom(...SIGNALS),
  facts,
  delay: fc.integer({ min: -MINUTE, max: 20 * MINUTE }),
});

describe("whatever somebody emits under the names of sessions", () => {
  it("leaves a session that can be stored, read again, judged and shown", () => {
    fc.assert(
      fc.property(fc.array(told, { maxLength: 60 }), (all) => {
        let session: Session | undefined;
        let nowMs = START_MS;
        for (const { signal, facts: more, delay } of all) {
          nowMs += Math.abs(delay) % (3 * MINUTE);
          session = takeSignal(session, {
            signal,
            source: "s",
            facts: { ...more, session: "s", agent: "a" },
            timestamp: new Date(nowMs - delay).toISOString(),
            received_at: new Date(nowMs).toISOString(),
          });
          noticesOf(session, DEFAULT_LIMITS, nowMs);
          observationOf(session, nowMs);
          const due = nextNoticeMs(session, DEFAULT_LIMITS);
          // What is due now was told, so that no alarm comes for ever.
          expect(due === undefined || due > nowMs).toBe(true);
        }
        if (session === undefined) return;
        expect(Session.parse(JSON.parse(JSON.stringify(session)))).toEqual(session);
        const [view] = sessionsOf([session], { limit: 1 }, DEFAULT_LIMITS, nowMs).sessions;
        for (const value of Object.values(view?.usage ?? {})) expect(Number.isFinite(value) && value >= 0).toBe(true);
      }),
    );
  });
});

describe("whatever somebody sends as an export or a hook", () => {
  const names = [
    "resourceLogs",
    "scopeLogs",
    "logRecords",
    "resourceMetrics",
    "scopeMetrics",
    "metrics",
    "sum",
    "dataPoints",
  ];
  const keys = [
    ...names,
    "resourceSpans",
    "scopeSpans",
    "spans",
    "attributes",
    "key",
    "value",
    "body",
    "traceId",
    "name",
  ];
  const nearly = fc.letrec((tie) => ({
    tree: fc.oneof(
      { depthSize: "small" },
      fc.constantFrom<unknown>("claude_code.user_prompt", "session.id", 1e18, null, true, "a".repeat(32)),
      fc.jsonValue(),
      fc.dictionary(fc.constantFrom(...keys), tie("tree")),
      fc.array(tie("tree"), { maxLength: 3 }),
    ),
  })).tree;

  it("is read, or refused as no export", () => {
    fc.assert(
      fc.property(fc.constantFrom(...EXPORT_KINDS), nearly, (kind, document) => {
        try {
          readRecords(kind, document, "all");
        } catch (error) {
          if (!(error instanceof NoExport)) throw error;
        }
        readHook(document, { content: "all", source: undefined, task: undefined, traceparent: "x" });
      }),
    );
  });

  it("is read where one value of a real export is another", () => {
    const files = ["claude-code-logs.json", "claude-code-metrics-delta.json", "gen-ai-traces.json"] as const;
    const texts = files.map((name, place) => [EXPORT_KINDS[place] ?? "logs", fixtureText(name)] as const);
    fc.assert(
      fc.property(fc.constantFrom(...texts), fc.nat(200), odd, ([kind, text], place, value) => {
        let seen = 0;
        const changed: unknown = JSON.parse(text, (_, old) => (seen++ === place ? value : old));
        try {
          readRecords(kind, changed, "none");
        } catch (error) {
          if (!(error instanceof NoExport)) throw error;
        }
      }),
    );
  });
});
