import { describe, expect, test } from "vitest";
import type { Decision } from "../../../src/core/policy/decision.ts";
import { PolicyEngine } from "../../../src/core/policy/engine.ts";
import type { HistoryReader } from "../../../src/core/policy/history-reader.ts";
import { replay } from "../../../src/core/policy/replay.ts";
import type { Rule } from "../../../src/core/policy/rule.ts";
import type { RuleOutcome } from "../../../src/core/policy/rule-outcome.ts";
import type { SimulatedDecision } from "../../../src/core/policy/simulated.ts";
import type { Signal } from "../../../src/core/signals/signal.ts";
import fc from "../../fast-check.ts";
import { aRule, T0 } from "./a-signal.ts";

const often = { rate: { n: 1_000, per: "1s" } };
const asked = { when: "Q_ASKED", once_per: { by: "facts.key", within: "400ms" } };
const late = [{ emit: { signal: "Q_LATE", facts: { key: "facts.key" } } }];
const waiting = { signal: "Q_ANSWERED", by: "facts.key", within: "5s", else: late };
const RULES: readonly Rule[] = [
  aRule({
    id: "dream",
    when: "Q_PROMOTIONS",
    while_in_flight: { until: "Q_DONE", at_most: "5s" },
    ...often,
    then: [{ emit: { signal: "Q_DREAM", facts: { by: "id" } } }],
  }),
  aRule({ id: "answer", ...asked, ...often, expect: waiting }),
  aRule({ id: "often", when: ["Q_*", "!Q_NOISE"], at_least: { n: 3, within: "1s" }, cooldown: "1s", ...often }),
  // Signals of the other rules come back some time after they were decided.
  aRule({
    id: "dreamt",
    when: "Q_DREAM",
    cooldown: "1s",
    ...often,
    then: [{ emit: { signal: "Q_ASKED", facts: { key: '"a"' } } }],
  }),
  aRule({ id: "page", when: "Q_LATE", where: "facts.key == 'a'", ...often, then: [{ webhook: { endpoint: "e" } }] }),
  aRule({
    id: "like",
    when: "Q_ASKED",
    ...often,
    then: [{ webhook: { endpoint: "e" } }],
    near_duplicate: { text: "'is the disk of ' + facts.key + ' full?'", threshold: 0.8, within: "2s" },
  }),
];
/** With a lookback, an answer may precede its question: which belonged to which is certain only from the beginning of the log. */
const OVERTAKEN: readonly Rule[] = [
  aRule({ id: "overtaken", ...asked, ...often, expect: { ...waiting, lookback: "500ms" } }),
];

/** Signals and decisions in order, as the log and the store of decisions hold them. */
interface History {
  readonly log: Signal[];
  readonly decisions: Decision[];
  readonly endMs: number;
}

interface Step {
  readonly name: string;
  readonly key: string;
  readonly afterMs: number;
  /** Time until the signals that rules emit now are in the log. */
  readonly delayMs: number;
}

const anyStep: fc.Arbitrary<Step> = fc.record({
  name: fc.constantFrom("Q_PROMOTIONS", "Q_PROMOTIONS", "Q_DONE", "Q_ASKED", "Q_ASKED", "Q_ANSWERED", "Q_NOISE"),
  key: fc.constantFrom("a", "b"),
  afterMs: fc.constantFrom(0, 0, 1, 399, 400, 499, 500, 999, 1_000, 1_001, 4_999, 5_000, 5_001),
  delayMs: fc.constantFrom(0, 1, 400, 1_000),
});

/** Runs the rules as the edge does: one signal at a time; the signals that they emit are in the log some time later. */
function live(rules: readonly Rule[], steps: readonly Step[]): History {
  const engine = new PolicyEngine(rules);
  const log: Signal[] = [];
  const decisions: Decision[] = [];
  const emitted: { signal: Omit<Signal, "seq" | "received_at">; atMs: number }[] = [];
  let delayMs = 0;
  const append = (signal: Omit<Signal, "seq" | "received_at">, atMs: number) => {
    log.push({ ...signal, seq: log.length + 1, received_at: new Date(atMs).toISOString() });
    record(engine.evaluate(log.at(-1) as Signal).outcomes, atMs);
  };
  const record = (outcomes: readonly RuleOutcome[], nowMs: number) => {
    for (const { rule, origin, atMs, outcome, by, reason, values, effects } of outcomes) {
      decisions.push({
        id: `d${decisions.length}`,
        rule: rule.id,
        rule_version: 1,
        effects: [],
        outcome,
        values,
        signal: { seq: origin.seq, id: origin.id, signal: origin.signal },
        decided_at: new Date(atMs).toISOString(),
        ...(by === "time" ? { by } : {}),
        ...(reason === undefined ? {} : { reason }),
      });
      for (const [place, effect] of effects.entries()) {
        if (effect.kind !== "emit") continue;
        const id = `e${decisions.length}.${place}`;
        const what = { id, signal: effect.signal, facts: effect.facts, source: "ganglion/policy", ecosystem: "e" };
        const whence = { cause: origin.id, depth: (origin.depth ?? 0) + 1, timestamp: new Date(atMs).toISOString() };
        emitted.push({ signal: { ...what, ...whence }, atMs: nowMs + delayMs });
      }
    }
  };
  let nowMs = T0;
  const passTo = (untilMs: number) => {
    for (;;) {
      const next = emitted.toSorted((a, b) => a.atMs - b.atMs)[0];
      const dueMs = engine.nextDueMs ?? Number.POSITIVE_INFINITY;
      // A time-out is decided before a signal of the same time.
      if (dueMs <= untilMs && dueMs <= (next?.atMs ?? Number.POSITIVE_INFINITY))
        record(engine.advanceClock(dueMs).outcomes, dueMs);
      else if (next !== undefined && next.atMs <= untilMs) {
        emitted.splice(emitted.indexOf(next), 1);
        append(next.signal, next.atMs);
      } else return;
    }
  };
  for (const [place, step] of [...steps, undefined].entries()) {
    passTo(nowMs + (step?.afterMs ?? 20_000));
    nowMs += step?.afterMs ?? 20_000;
    if (step === undefined) break;
    delayMs = step.delayMs;
    const { name, key } = step;
    const facts = { key };
    append(
      { id: `s${place}`, signal: name, source: "t", ecosystem: "e", facts, timestamp: new Date(nowMs).toISOString() },
      nowMs,
    );
  }
  return { log, decisions, endMs: nowMs };
}

/** The log and the decisions, read by small pages. */
const readerOf = ({ log, decisions }: History): HistoryReader => ({
  signals: async ({ sinceMs = 0, after, limit, order }) => {
    const inOrder = order === "asc" ? log : log.toReversed();
    const rest = inOrder.filter(({ seq, timestamp }) => {
      const behind = after === undefined || (order === "asc" ? seq > after : seq < after);
      return behind && Date.parse(timestamp) >= sinceMs;
    });
    const signals = rest.slice(0, Math.min(limit, 3));
    return { signals, next: rest.length > signals.length ? (signals.at(-1)?.seq ?? null) : null };
  },
  decisions: async ({ sinceMs, untilMs, after = "0" }) => {
    const rest = decisions
      .filter(({ decided_at }) => Date.parse(decided_at) >= sinceMs && Date.parse(decided_at) < untilMs)
      .toReversed();
    const page = rest.slice(Number(after), Number(after) + 4);
    return { decisions: page, next: Number(after) + 4 < rest.length ? String(Number(after) + 4) : null };
  },
});

const MAX_PAGES = { warmUp: 1_000, range: 1_000, decisions: Number.POSITIVE_INFINITY };
const comparable = ({ rule, signal, outcome, reason, values, ...more }: Decision | SimulatedDecision) => {
  const at = "decided_at" in more ? more.decided_at : more.at;
  return JSON.stringify([at, rule, signal.id, signal.seq, outcome, more.by ?? "signal", reason, values]);
};

async function reproduces(
  rules: readonly Rule[],
  steps: readonly Step[],
  start: number,
  share: number,
  warmUpMs?: number,
) {
  const history = live(rules, steps);
  const sinceMs = T0 + Math.round((history.endMs - 20_000 - T0) * start) + (start > 0.5 ? 1 : 0);
  const untilMs = sinceMs + Math.round((history.endMs - sinceMs) * share);
  const maxPages = MAX_PAGES;
  const found = await replay(readerOf(history), {
    deployed: rules,
    sets: [rules],
    sinceMs,
    untilMs,
    warmUpMs,
    maxPages,
  });
  const recorded = history.decisions.filter(({ decided_at }) => {
    return Date.parse(decided_at) >= sinceMs && Date.parse(decided_at) < untilMs;
  });
  expect(found.decisions[0]?.map(comparable).sort()).toEqual(recorded.map(comparable).sort());
}

const anyStretch = [
  fc.array(anyStep, { minLength: 1, maxLength: 40 }),
  fc.double({ min: 0, max: 1, noNaN: true }),
] as const;

describe("replay of the rules in force over their own history", () => {
  test("gives the same decisions, wherever it begins and ends", async () => {
    const share = fc.constantFrom(0.1, 0.5, 1);
    await fc.assert(
      fc.asyncProperty(...anyStretch, share, (steps, start, part) => reproduces(RULES, steps, start, part)),
      { numRuns: 300 },
    );
  });

  test("gives the same decisions with answers that overtake their questions, from the beginning of the log on", async () => {
    await fc.assert(
      fc.asyncProperty(...anyStretch, (steps, start) => reproduces(OVERTAKEN, steps, start, 1, 1_000_000)),
      { numRuns: 100 },
    );
  });
});
