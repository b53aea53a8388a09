import type { Signal } from "../signals/signal.ts";
import { formatTimestamp } from "../signals/timestamp.ts";
import type { Decision, DecisionsPage } from "./decision.ts";
import { EmittedThen } from "./emitted-then.ts";
import { lookBackMs } from "./look-back.ts";
import { type Rule, watchedPatterns } from "./rule.ts";
import { type SimulatedDecision, Simulation } from "./simulation.ts";
import type { StateKind } from "./state.ts";
import { type Kept, WarmUp } from "./warm-up.ts";

/** Where the past is read. Both give pages; `next` goes on from one to the other, `null` ends it. */
export interface Past {
  signals(query: {
    /** Patterns. */
    readonly signals: readonly string[];
    /** By their own time. */
    readonly sinceMs?: number;
    /** Exclusive, in the direction of `order`. */
    readonly after?: number;
    readonly limit: number;
    readonly order: "asc" | "desc";
  }): Promise<{ readonly signals: readonly Signal[]; readonly next: number | null }>;
  /** Newest first. */
  decisions(query: {
    readonly sinceMs: number;
    readonly untilMs: number;
    readonly limit: number;
    readonly after?: string;
  }): Promise<DecisionsPage>;
}

export interface Replay {
  /** The rules in force: what was under way at the beginning is theirs. */
  readonly deployed: readonly Rule[];
  /** The sets that are tried, each on its own. */
  readonly sets: readonly (readonly Rule[])[];
  readonly sinceMs: number;
  readonly untilMs: number;
  /** How far before the beginning to look for what was under way; default: as far as it can lie ({@link lookBackMs}). */
  readonly warmUpMs?: number | undefined;
  /** Pages that are read at most, for the warm-up and for the rest. */
  readonly maxPages: { readonly warmUp: number; readonly range: number };
  /** Told of each signal that was taken in. */
  readonly progress?: (signal: Signal) => void;
}

/** What a simulation began with. */
export interface WarmUpView {
  /** The warm-up took in what came from then on. RFC 3339 */
  readonly from: string;
  /** Whether that is as far as was wanted, or all that the log holds. */
  readonly complete: boolean;
  readonly signals: number;
  /** Recorded decisions that it followed. */
  readonly decisions: number;
  /** What the rules kept as the simulation began, by kind; those of which there is nothing are left out. */
  readonly under_way: UnderWay;
}
type UnderWay = Readonly<Partial<Record<(typeof UNDER_WAY)[keyof typeof UNDER_WAY], number>>>;

export interface Replayed {
  readonly warm_up: WarmUpView;
  /** What each of the sets would have decided, in their order. */
  readonly decisions: readonly (readonly SimulatedDecision[])[];
  /** Signals that were looked at, those that rules emitted left out. */
  readonly signals: number;
  /** When the last signal was received. */
  readonly through: string | null;
  /** There was more than the pages allowed. */
  readonly truncated: boolean;
}

const PAGE = 1_000;
/** Signals that are known ahead. What a rule emits stands in the log within milliseconds, as a rule. */
const AHEAD = 1_000;
/** How the kinds of what rules keep are told of. How often each has fired in the present minute is nobody's concern. */
const UNDER_WAY = {
  ...{ flight: "in_flight", once: "cooling_down", count: "counting", memory: "remembered" },
  ...{ text: "texts", expected: "expected", answer: "early_answers" },
} as const satisfies Record<Exclude<StateKind, "rate">, string>;

/**
 * Tries sets of rules on what has been, as if each had been put in force at the beginning of the stretch: with what was
 * under way then. Only signals that some rule looks at are read, and nothing is written.
 *
 * @throws InvalidRule
 */
export async function replay(past: Past, wanted: Replay): Promise<Replayed> {
  const { deployed, sets, sinceMs, untilMs, maxPages, progress } = wanted;
  const signals = watchedPatterns([...deployed, ...sets.flat()]);
  const fromMs = sinceMs - (wanted.warmUpMs ?? lookBackMs(deployed));
  const first = await firstSince(past, signals, sinceMs);
  // Some that bear an earlier time were received later and stand behind it: the way back meets them, and then the others.
  const before = await readBack(past, { signals, fromMs, maxPages: maxPages.warmUp, after: first?.seq });
  const decisions = fromMs < sinceMs ? await decisionsOf(past, fromMs, sinceMs) : [];
  const warmUp = new WarmUp(deployed, decisions);
  const emitted = new EmittedThen(sinceMs);
  const told = sets.map((): SimulatedDecision[] => []);
  let begun: { readonly kept: Kept; readonly simulations: readonly Simulation[] } | undefined;
  const begin = () => {
    const kept = begun?.kept ?? warmUp.keptAt(sinceMs);
    begun ??= { kept, simulations: sets.map((rules) => new Simulation(rules, { kept, emitted })) };
    return begun;
  };
  let warmed = 0;
  let looked = 0;
  let through: string | null = null;
  /** @returns false: it was received after the end */
  const take = (signal: Signal): boolean => {
    const atMs = Date.parse(signal.received_at);
    if (atMs >= untilMs) return false;
    if (atMs >= sinceMs) {
      for (const [place, simulation] of begin().simulations.entries()) told[place]?.push(...simulation.take(signal));
      emitted.remove(signal);
      looked++;
      through = signal.received_at;
      progress?.(signal);
    } else if (atMs >= fromMs) {
      warmUp.take(signal);
      warmed++;
    }
    return true;
  };
  // What is taken in is some way behind what is read, so that what rules emitted then is known when they emit it again.
  let ahead = before.signals;
  for (const signal of ahead) emitted.add(signal);
  let after = first === undefined ? null : first.seq - 1;
  let within = true;
  for (let pages = 0; within && after !== null && pages < maxPages.range; pages++) {
    const page = await past.signals({ signals, after, limit: PAGE, order: "asc" });
    for (const signal of page.signals) emitted.add(signal);
    ahead = [...ahead, ...page.signals];
    const count = Math.max(0, ahead.length - AHEAD);
    within = ahead.slice(0, count).every(take);
    ahead = ahead.slice(count);
    after = page.next;
  }
  within &&= ahead.every(take);
  const truncated = within && after !== null;
  const { kept, simulations } = begin();
  if (!truncated)
    for (const [place, simulation] of simulations.entries()) told[place]?.push(...simulation.pass(untilMs));
  return {
    warm_up: {
      from: before.complete ? formatTimestamp(fromMs) : (before.signals[0]?.received_at ?? formatTimestamp(sinceMs)),
      ...{ complete: before.complete, signals: warmed, decisions: decisions.length, under_way: counted(kept) },
    },
    ...{ decisions: told, signals: looked, through, truncated },
  };
}

/** The first signal that bears this time or a later one. */
async function firstSince(past: Past, signals: readonly string[], sinceMs: number): Promise<Signal | undefined> {
  let after: number | undefined;
  for (;;) {
    const page = await past.signals({
      ...{ signals, sinceMs, limit: 1, order: "asc" as const },
      ...(after === undefined ? {} : { after }),
    });
    const [first] = page.signals;
    // A page may be empty and still go on.
    if (first !== undefined || page.next === null) return first;
    after = page.next;
  }
}

/** Reads back from a place to what was received at a time. @returns the oldest first */
async function readBack(
  past: Past,
  {
    signals,
    fromMs,
    maxPages,
    after,
  }: { signals: readonly string[]; fromMs: number; maxPages: number; after: number | undefined },
): Promise<{ readonly signals: readonly Signal[]; readonly complete: boolean }> {
  const found: Signal[] = [];
  let place = after;
  for (let pages = 0; pages < maxPages; pages++) {
    const page = await past.signals({
      ...{ signals, limit: PAGE, order: "desc" as const },
      ...(place === undefined ? {} : { after: place }),
    });
    const wanted = page.signals.filter(({ received_at }) => Date.parse(received_at) >= fromMs);
    found.push(...wanted);
    if (wanted.length < page.signals.length || page.next === null) return { signals: found.reverse(), complete: true };
    place = page.next;
  }
  return { signals: found.reverse(), complete: false };
}

async function decisionsOf(past: Past, sinceMs: number, untilMs: number): Promise<Decision[]> {
  const found: Decision[] = [];
  for (let after: string | undefined; ; ) {
    const page = await past.decisions({ sinceMs, untilMs, limit: PAGE, ...(after === undefined ? {} : { after }) });
    found.push(...page.decisions);
    if (page.next === null) return found;
    after = page.next;
  }
}

function counted({ rows }: Kept): UnderWay {
  const counts: Partial<Record<(typeof UNDER_WAY)[keyof typeof UNDER_WAY], number>> = {};
  for (const { kind } of rows) {
    if (kind === "rate") continue;
    counts[UNDER_WAY[kind]] = (counts[UNDER_WAY[kind]] ?? 0) + 1;
  }
  return counts;
}
