import type { Client } from "../../../src/client/client.ts";
import type { Signal } from "../../../src/core/signals/signal.ts";
import { formatTimestamp } from "../../../src/core/signals/timestamp.ts";
import { patternsOfTopics } from "../topic-patterns.ts";

/** The newest are sent, as many as these allow. */
const MAX_MESSAGES = 10_000;
const MAX_BYTES = 8 * 1024 * 1024;
/** Pages of the log that are read; in a quiet stretch a page may hold little. */
const MAX_PAGES = 50;
const PAGE = 1_000;

export interface ReplayedSignal {
  readonly signal: Signal;
  /** The same as JSON. */
  readonly text: string;
}

/** Signals of the log's end. Times are milliseconds since the epoch. */
export interface History {
  /** The oldest first. */
  readonly signals: readonly ReplayedSignal[];
  /** From this time on all of them are there. */
  readonly fromMs: number;
  /** Older ones were left out. */
  readonly truncated: boolean;
}

export interface HistoryQuery {
  /** Prefixes of names. */
  readonly topics: readonly string[];
  readonly sinceMs: number;
  readonly nowMs: number;
}

/**
 * Reads what subscribers of these topics would have been sent since a time. The newest are read first, so that the limits
 * leave out the oldest.
 *
 * @throws the errors of the client
 */
export async function readHistory(
  client: Pick<Client, "signals">,
  { topics, sinceMs, nowMs }: HistoryQuery,
  abort: AbortSignal,
): Promise<History> {
  const prefixes = topics.length === 0 ? [""] : topics;
  const patterns = patternsOfTopics(prefixes);
  const found: ReplayedSignal[] = [];
  let bytes = 0;
  let reachedMs = nowMs;
  let after: number | undefined;
  for (let pages = 0; patterns.length > 0; pages++) {
    if (pages === MAX_PAGES) return { signals: found.reverse(), fromMs: reachedMs, truncated: true };
    const since = formatTimestamp(sinceMs);
    const query = {
      signals: patterns,
      since,
      order: "desc",
      limit: PAGE,
      ...(after === undefined ? {} : { after }),
    } as const;
    const { signals, next } = await client.signals(query, { signal: abort });
    for (const signal of signals) {
      const text = JSON.stringify(signal);
      bytes += Buffer.byteLength(text);
      const isFull = found.length >= MAX_MESSAGES || bytes > MAX_BYTES;
      if (isFull) return { signals: found.reverse(), fromMs: reachedMs, truncated: true };
      reachedMs = Date.parse(signal.timestamp);
      // Many topics are asked for as everything.
      if (prefixes.some((prefix) => signal.signal.startsWith(prefix))) found.push({ signal, text });
    }
    if (next === null) break;
    after = next;
  }
  return { signals: found.reverse(), fromMs: sinceMs, truncated: false };
}
