import type { Signal } from "../../core/signals/signal.ts";

/** Signals in the order of the log. */
export interface Batch {
  /** Place in the log up to which nothing is missing; at or behind the last of `signals`. */
  readonly last: number;
  readonly signals: readonly Signal[];
}

/** One connection to the edge's stream. It ends when the connection does; going on is the reader's business. */
export interface SignalSource extends AsyncIterable<Batch> {
  /** Everything up to `seq` has been handled: gives the edge credit for more. */
  seen(seq: number): void;
  /** May be called twice, and after the source has ended by itself. */
  close(): void;
}

/**
 * Opens the stream.
 *
 * @param url - `http:` or `https:`, with `after` and the patterns in its query
 * @throws ApiProblem, EdgeUnreachable, or the reason of `signal`
 */
export type OpenSource = (url: URL, token: string, signal: AbortSignal | undefined) => Promise<SignalSource>;
