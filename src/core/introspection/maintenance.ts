import * as z from "zod";
import type { Maintenance } from "./api.ts";

export const NO_MAINTENANCE: Maintenance = { enabled: false, reason: null, since: null, by: null };

/** A time during which maintenance was on, in milliseconds since the epoch. */
export const Span = z.object({
  fromMs: z.number(),
  /** `null`: maintenance has not ended. */
  toMs: z.number().nullable(),
});
export type Span = Readonly<z.infer<typeof Span>>;

/**
 * Whether an observation was made during maintenance, when hosts restart and models warm up. Such an observation is
 * stored, shown and counted in the history, but scanners do not get it.
 */
export function isExempt(tsMs: number, spans: readonly Span[]): boolean {
  return spans.some(({ fromMs, toMs }) => tsMs >= fromMs && (toMs === null || tsMs < toMs));
}

/** After maintenance no gap is resolved for this time: problems from before need time to show in new observations. */
export const SETTLE_MS = 60_000;
