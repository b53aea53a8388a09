/** How long and how large a log may grow. */
export interface Retention {
  /** Signals are kept for so long after the log received them, in milliseconds. */
  readonly ms: number;
  /** Bytes of storage beyond which the oldest signals are dropped before that time. */
  readonly bytes: number;
}

/** When a slice began, and when the next one is due. Milliseconds since the epoch. */
export interface SliceTimes {
  readonly beganMs: number;
  readonly endsMs: number;
}

const DAY_MS = 86_400_000;
const GB = 1e9;
const DEFAULT_DAYS = 7;
/** Cloudflare's objects hold 10 GB: what readers and writers need beside the segments fits into the rest. */
const DEFAULT_GB = 8;
/** A slice is dropped whole, so a log keeps up to this share of the retention more than it must. */
const SLICES = 28;
/** A slice that comes to this share of the storage is ended before its time: else one slice could be all there is to drop. */
const SIZE_SHARES = 16;
/** Shortest slice: two tables each minute would be more work than the signals. */
const SHORTEST_SLICE_MS = 60_000;

/**
 * Reads the retention from settings.
 *
 * @param days - default 7
 * @param gigabytes - 10^9 bytes; default 8
 * @param invalid - told of a text that is no positive number: the default holds, because a retention of "no number" would
 *   keep or delete everything
 */
export function readRetention(
  days: string | undefined,
  gigabytes: string | undefined,
  invalid: (setting: string, text: string) => void,
): Retention {
  const positive = (setting: string, text: string | undefined, fallback: number): number => {
    if (text === undefined || text === "") return fallback;
    const value = Number(text);
    if (Number.isFinite(value) && value > 0) return value;
    invalid(setting, text);
    return fallback;
  };
  return {
    ms: positive("RETENTION_DAYS", days, DEFAULT_DAYS) * DAY_MS,
    bytes: positive("LOG_MAX_GB", gigabytes, DEFAULT_GB) * GB,
  };
}

/** Times of a slice that begins now. Its length is its own: another retention changes later slices alone. */
export function sliceTimes(beganMs: number, { ms }: Retention): SliceTimes {
  return { beganMs, endsMs: beganMs + Math.max(SHORTEST_SLICE_MS, Math.ceil(ms / SLICES)) };
}

/**
 * Whether a new slice begins with a signal that is received now.
 *
 * @param sliceBytes - what the current slice takes
 */
export function isSliceOver(
  { beganMs, endsMs }: SliceTimes,
  sliceBytes: number,
  receivedMs: number,
  { bytes }: Retention,
): boolean {
  // A clock that was set back by more than a slice: the slice would go on until the clock has come to its end once more.
  const setBack = receivedMs < beganMs - (endsMs - beganMs);
  return receivedMs >= endsMs || setBack || sliceBytes >= bytes / SIZE_SHARES;
}

/**
 * How many of the oldest slices hold nothing but signals older than the retention.
 *
 * A slice is over at its end, or where a later one begins before that: signals that a clock put into the future are
 * dropped when what came after them is old.
 *
 * @param slices - all of them, in the order of the log
 */
export function expiredSlices(slices: readonly SliceTimes[], receivedMs: number, { ms }: Retention): number {
  let laterMs = Number.POSITIVE_INFINITY;
  for (let place = slices.length - 1; place >= 0; place--) {
    const { beganMs, endsMs } = slices[place] as SliceTimes;
    if (Math.min(endsMs, laterMs) < receivedMs - ms) return place + 1;
    laterMs = Math.min(laterMs, beganMs);
  }
  return 0;
}
