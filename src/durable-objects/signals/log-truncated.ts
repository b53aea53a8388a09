import type { AppendRequest } from "../../core/signals/api.ts";
import type { LogState } from "../../core/signals/log/log-state.ts";
import { logSignal } from "./log-signal.ts";

/** Signals that a log dropped before their time, because its storage was full. */
export interface Dropped {
  readonly signals: number;
  /** Since the log began. */
  readonly total: number;
  /** First sequence number that is left. */
  readonly oldestSeq: number;
  /** What the storage takes after that, and what it may take. */
  readonly bytes: number;
  readonly limit: number;
}

/** The signal that tells of it, from the log itself. */
export function logTruncated({ signals, total, oldestSeq, bytes, limit }: Dropped, state: LogState): AppendRequest {
  const name = `ganglion.log.${state.epoch}`;
  const facts = {
    dropped_signals: signals,
    dropped_in_all: total,
    oldest_seq: oldestSeq,
    database_bytes: bytes,
    limit_bytes: limit,
  };
  const told = logSignal("Q_LOG_TRUNCATED", facts);
  return { producer: { name, first: state.lastNumber(name) + 1 }, signals: [told] };
}
