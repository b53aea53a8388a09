/** Where a log stood when its current slice of time began; kept so that older slices can be dropped whole. */
export interface LogBase {
  /** Makes the ids that this log assigns differ from those of any other log. */
  readonly epoch: string;
  readonly nextSeq: number;
  readonly receivedMs: number;
  /** Of earlier versions: last number of every producer. Now they have rows of their own. */
  readonly producers?: Readonly<Record<string, number>>;
  /** When the slice is over, in milliseconds since the epoch; missing in slices of earlier versions. */
  readonly endsMs?: number;
  /** Bytes of the log's storage when the slice began; missing in slices of earlier versions. */
  readonly bytes?: number;
  /** Signals that were dropped before their time, because the storage was full, since the log began. */
  readonly droppedForSize?: number;
}

/** Reads a base as a log stored it. @throws SyntaxError or TypeError when `text` is no base */
export function readLogBase(text: string): LogBase {
  const base: unknown = JSON.parse(text);
  if (!isLogBase(base)) throw new TypeError(`the stored base of a slice is damaged: ${text.slice(0, 100)}`);
  return base;
}

function isLogBase(value: unknown): value is LogBase {
  if (typeof value !== "object" || value === null) return false;
  const { epoch, nextSeq, receivedMs, producers = {} } = value as Record<string, unknown>;
  const numbered = typeof nextSeq === "number" && typeof receivedMs === "number";
  return numbered && typeof epoch === "string" && typeof producers === "object" && producers !== null;
}
