import type { Signal } from "../signals/signal.ts";
import type { Decision, DecisionsPage } from "./decision.ts";

/** Access to past signals and decisions, by pages. `next` leads from one page to the next; `null` ends the list. */
export interface HistoryReader {
  signals(query: {
    /** Patterns. */
    readonly signals: readonly string[];
    /** Event time, inclusive. */
    readonly sinceMs?: number;
    /** Exclusive, in the direction of `order`. */
    readonly after?: number;
    readonly limit: number;
    readonly order: "asc" | "desc";
  }): Promise<SignalsRead>;
  /** Newest first. */
  decisions(query: {
    readonly sinceMs: number;
    readonly untilMs: number;
    readonly limit: number;
    readonly after?: string;
  }): Promise<DecisionsPage>;
}

interface SignalsRead {
  readonly signals: readonly Signal[];
  readonly next: number | null;
}

/** Signals, or decisions, in one page. */
export const PAGE_SIZE = 1_000;

/** Finds the first signal in the log with this event time or a later one. */
export async function firstSince(
  history: HistoryReader,
  signals: readonly string[],
  sinceMs: number,
): Promise<Signal | undefined> {
  let after: number | undefined;
  for (;;) {
    const page = await history.signals({
      signals,
      sinceMs,
      limit: 1,
      order: "asc",
      ...(after === undefined ? {} : { after }),
    });
    const [first] = page.signals;
    // A page may be empty and still have a next one.
    if (first !== undefined || page.next === null) return first;
    after = page.next;
  }
}

/** Where to begin reading backwards, and where to end. */
export interface BackwardStretch {
  readonly signals: readonly string[];
  /** Exclusive; `undefined`: from the end of the log. */
  readonly before: number | undefined;
  /** Received time, inclusive. */
  readonly fromMs: number;
  readonly maxPages: number;
}

/** Reads the log backwards to signals that were received at `fromMs`. @returns the oldest first */
export async function readBackwards(
  history: HistoryReader,
  { signals, before, fromMs, maxPages }: BackwardStretch,
): Promise<{ readonly signals: readonly Signal[]; readonly complete: boolean }> {
  const found: Signal[] = [];
  let after = before;
  for (let pages = 0; pages < maxPages; pages++) {
    const page = await history.signals({
      signals,
      limit: PAGE_SIZE,
      order: "desc",
      ...(after === undefined ? {} : { after }),
    });
    const within = page.signals.filter(({ received_at }) => Date.parse(received_at) >= fromMs);
    found.push(...within);
    if (within.length < page.signals.length || page.next === null) return { signals: found.reverse(), complete: true };
    after = page.next;
  }
  return { signals: found.reverse(), complete: false };
}

/**
 * Reads the decisions of a stretch of time, newest first.
 *
 * @param maxPages - where there are more, the record begins with the signal from which on it is complete
 */
export async function readDecisions(
  history: HistoryReader,
  sinceMs: number,
  untilMs: number,
  maxPages: number,
): Promise<Decision[]> {
  const found: Decision[] = [];
  let after: string | undefined;
  for (let pages = 0; pages < maxPages; pages++) {
    const page = await history.decisions({
      sinceMs,
      untilMs,
      limit: PAGE_SIZE,
      ...(after === undefined ? {} : { after }),
    });
    found.push(...page.decisions);
    if (page.next === null) return found;
    after = page.next;
  }
  const last = found.at(-1)?.signal.seq;
  return found.filter(({ signal }) => signal.seq !== last);
}
