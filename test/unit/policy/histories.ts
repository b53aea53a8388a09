import fc from "../../fast-check.ts";

type ImportingRule = "dream" | "answer" | "often";

/** What can happen to the rules of the history test; times in milliseconds since the step before. */
export type Step =
  | { readonly what: "signal"; readonly name: string; readonly key: string; readonly afterMs: number }
  | { readonly what: "wait"; readonly afterMs: number }
  /** State of an older system is imported, in which the rule fired, or began its work, so long ago. */
  | {
      readonly what: "import";
      readonly rule: ImportingRule;
      readonly key: string;
      readonly agoMs: number;
      readonly lastsMs: number;
      /** The last import for this rule once more, where there was one. */
      readonly again: boolean;
    }
  | { readonly what: "restart" }
  | { readonly what: "fail to write" };

const signalStep = fc.record({
  what: fc.constant("signal" as const),
  name: fc.constantFrom("Q_PROMOTIONS", "Q_DONE", "Q_ASKED", "Q_ASKED", "Q_ANSWERED", "Q_ANSWERED", "Q_NOISE"),
  key: fc.constantFrom("a", "b"),
  // The boundaries of the rules below, a millisecond on either side of them; most signals come close together.
  afterMs: fc.oneof(
    { arbitrary: fc.constantFrom(0, 1, 99, 100), weight: 2 },
    { arbitrary: fc.constantFrom(399, 400, 401, 499, 500, 501), weight: 2 },
    { arbitrary: fc.constantFrom(999, 1_000, 1_001, 4_999, 5_000, 5_001), weight: 1 },
  ),
});
const step: fc.Arbitrary<Step> = fc.oneof(
  { arbitrary: signalStep, weight: 6 },
  {
    arbitrary: fc.record({ what: fc.constant("wait" as const), afterMs: fc.constantFrom(1, 1_000, 5_000, 20_000) }),
    weight: 2,
  },
  {
    arbitrary: fc.record({
      what: fc.constant("import" as const),
      rule: fc.constantFrom("dream" as const, "answer" as const, "often" as const),
      key: fc.constantFrom("a", "b"),
      agoMs: fc.constantFrom(0, 1, 399, 400, 999, 1_000, 4_999, 5_000),
      // Mostly longer than the rules' own times, which then decide.
      lastsMs: fc.constantFrom(1, 100, 500, 10_000, 10_000, 10_000),
      again: fc.boolean(),
    }),
    weight: 2,
  },
  { arbitrary: fc.constant({ what: "restart" as const }), weight: 1 },
  { arbitrary: fc.constant({ what: "fail to write" as const }), weight: 1 },
);

export const anyHistory = fc.array(step, { minLength: 1, maxLength: 100 });

/** The rules that the histories run through, in the form in which users write them. */
export const RULES = [
  {
    id: "dream",
    when: "Q_PROMOTIONS",
    while_in_flight: { until: "Q_DONE", at_most: "5s" },
    rate: { n: 1_000, per: "1m" },
    then: [{ emit: { signal: "Q_DREAM", facts: { by: "id" } } }],
  },
  {
    id: "answer",
    when: "Q_ASKED",
    once_per: { by: "facts.key", within: "400ms" },
    rate: { n: 1_000, per: "1m" },
    expect: {
      signal: "Q_ANSWERED",
      by: "facts.key",
      within: "5s",
      lookback: "500ms",
      else: [{ emit: { signal: "Q_LATE", facts: { by: "id" } } }],
    },
  },
  {
    id: "often",
    when: ["Q_*", "!Q_NOISE"],
    at_least: { n: 3, within: "1s", by: "facts.key" },
    cooldown: "1s",
    rate: { n: 1_000, per: "1m" },
    then: [{ webhook: { endpoint: "often", body: { by: "id" } } }],
  },
] as const;

export interface Seen {
  readonly id: string;
  readonly name: string;
  readonly key: string;
  readonly atMs: number;
  /** An import for a rule instead of a signal: since when and until when its mark counts. */
  readonly imported?: { readonly rule: ImportingRule; readonly sinceMs: number; readonly untilMs: number };
}

/** Until when the import of an event holds a rule back whose own time is `ownMs`; `undefined`: it does not. */
function heldUntil({ imported, atMs }: Seen, rule: ImportingRule, ownMs: number): number | undefined {
  if (imported?.rule !== rule) return undefined;
  const untilMs = Math.min(imported.untilMs, imported.sinceMs + ownMs);
  return untilMs > atMs ? untilMs : undefined;
}

/**
 * What the rules above come to, worked out the slow and obvious way from the whole history at once: each signal once,
 * in order, and nothing else in mind.
 *
 * @param endMs - until when time has passed
 */
export function expectedEffects(signals: readonly Seen[], endMs: number): string[] {
  return [...dreams(signals), ...lateAnswers(signals, endMs), ...often(signals)].sort();
}

function dreams(signals: readonly Seen[]): string[] {
  const effects: string[] = [];
  let untilMs = Number.NEGATIVE_INFINITY;
  /** What was imported counts once: it does not begin again after a Q_DONE. */
  let importedMs = Number.NEGATIVE_INFINITY;
  for (const event of signals) {
    const { id, name, atMs } = event;
    const held = heldUntil(event, "dream", 5_000);
    if (held !== undefined && held > importedMs) {
      untilMs = Math.max(untilMs, held);
      importedMs = held;
    }
    if (name === "Q_DONE") untilMs = Number.NEGATIVE_INFINITY;
    if (name !== "Q_PROMOTIONS" || atMs < untilMs) continue;
    untilMs = atMs + 5_000;
    effects.push(`dream ${id}`);
  }
  return effects;
}

function lateAnswers(signals: readonly Seen[], endMs: number): string[] {
  const effects: string[] = [];
  for (const key of ["a", "b"]) {
    const mine = signals.filter((signal) => signal.key === key);
    /** Answers to a question that was open, and to one that came after them. */
    const answers = new Set<string>();
    const used = new Set<string>();
    let firedUntilMs = Number.NEGATIVE_INFINITY;
    /** Until when the last question that is open may be answered. */
    let openUntilMs = Number.NEGATIVE_INFINITY;
    mine.forEach((event, place) => {
      const { id, name, atMs } = event;
      firedUntilMs = Math.max(firedUntilMs, heldUntil(event, "answer", 400) ?? firedUntilMs);
      if (name === "Q_ANSWERED" && atMs <= openUntilMs) {
        // It answers what is open and nothing that is asked later.
        answers.add(id);
        openUntilMs = Number.NEGATIVE_INFINITY;
      }
      if (name !== "Q_ASKED" || atMs < firedUntilMs) return;
      firedUntilMs = atMs + 400;
      // Only the newest is remembered: where that is used up, an older one does not take its place.
      const before = mine.slice(0, place).findLast((other) => other.name === "Q_ANSWERED" && !answers.has(other.id));
      if (before !== undefined && !used.has(before.id) && atMs - before.atMs <= 500) {
        used.add(before.id);
        return;
      }
      if (atMs <= openUntilMs) return;
      openUntilMs = atMs + 5_000;
      const answer = mine.slice(place + 1).find((other) => other.name === "Q_ANSWERED" && other.atMs <= atMs + 5_000);
      if (answer === undefined && endMs > atMs + 5_000) effects.push(`late ${id}`);
    });
  }
  return effects;
}

function often(signals: readonly Seen[]): string[] {
  const effects: string[] = [];
  let firedUntilMs = Number.NEGATIVE_INFINITY;
  const counted = new Map<string, number[]>();
  for (const event of signals) {
    const { id, name, key, atMs } = event;
    firedUntilMs = Math.max(firedUntilMs, heldUntil(event, "often", 1_000) ?? firedUntilMs);
    if (name === "Q_NOISE" || event.imported !== undefined) continue;
    const times = [...(counted.get(key) ?? []).filter((ms) => atMs - ms < 1_000), atMs];
    counted.set(key, times);
    if (times.length < 3 || atMs < firedUntilMs) continue;
    firedUntilMs = atMs + 1_000;
    counted.set(key, []);
    effects.push(`often ${id}`);
  }
  return effects;
}
