import type { Closing } from "./state.ts";

/** What a limit gives at first when it ramps up. */
const FIRST_SHARE = 0.1;
/** After this a reservation that tries whether the provider takes requests again stands in nobody's way. */
export const PROBE_MS = 10_000;
/** A refusal that names no time closes for this long, and twice as long each time it comes again. */
const CLOSED_MS = 30_000;
const LONGEST_CLOSED_MS = 900_000;
/** No closing is longer. */
export const LONGEST_MS = 31 * 86_400_000;

/** How long a refusal closes that does not say so. @param times - closings before, since the limit was whole */
export const closedMs = (times: number): number => Math.min(LONGEST_CLOSED_MS, CLOSED_MS * 2 ** Math.min(times, 10));

/** The part of each limit that may be used: 0 while it is closed. */
export function shareAt(closing: Closing | null, ownMs: number, rampMs: number): number {
  if (closing === null) return 1;
  if (closing.phase === "closed") return ownMs >= closing.untilMs ? FIRST_SHARE : 0;
  if (closing.phase === "probing") return FIRST_SHARE;
  const left = rampMs === 0 ? 0 : Math.max(0, closing.untilMs - ownMs) / rampMs;
  return 1 - (1 - FIRST_SHARE) * left;
}

/** When a limit that grows has come to so great a part of itself. */
export const grownAtMs = (untilMs: number, rampMs: number, part: number): number =>
  Math.ceil(untilMs - (rampMs * (1 - Math.min(1, part))) / (1 - FIRST_SHARE));

/** The most of a limit that may be used at a share of it: one at least, or it would never be tried. */
export const partOf = (limit: number, share: number): number =>
  share === 0 ? 0 : Math.max(1, Math.floor(limit * share + 1e-9));

/** Ends the phases that are over. @returns what it is now; `null`: the limit is whole */
export function advanced(closing: Closing | null, ownMs: number): Closing | null {
  if (closing === null || ownMs < closing.untilMs) return closing;
  if (closing.phase === "closed") return { ...closing, phase: "probing", fromMs: closing.untilMs, untilMs: 0 };
  return closing.phase === "probing" ? closing : null;
}
