import type { Signal } from "../../core/signals/signal.ts";
import type { Credential } from "../http/exchange.ts";

/** Signals in the order of the log. */
export interface Batch {
  /** Sequence number up to which no matching signal is missing; that of the last of `signals`, or a later one. */
  readonly last: number;
  readonly signals: readonly Signal[];
  /** Length of the frame that brought the batch, where its bytes count as unacknowledged. */
  readonly bytes?: number;
}

/** One connection to the edge's stream. The iteration ends with the connection; the reader opens the next one. */
export interface SignalSource extends AsyncIterable<Batch> {
  /** The batch and all before it have been handled: gives the edge credit for more, soon if not at once. */
  handled(batch: Batch): void;
  /** May be called twice, and after the source has ended by itself. */
  close(): void;
}

/**
 * Opens the stream.
 *
 * @param url - `http:` or `https:`, with `after` and the patterns in its query
 * @throws ApiProblem, EdgeUnreachable, or the reason of `signal`
 */
export type OpenSource = (url: URL, token: Credential, signal: AbortSignal | undefined) => Promise<SignalSource>;
