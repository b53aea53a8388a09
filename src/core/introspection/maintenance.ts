import * as z from "zod";

/** Maintenance of an ecosystem: scanners rest and no gap changes, while observations are still taken in. */
export interface Maintenance {
  readonly enabled: boolean;
  readonly reason: string | null;
  /** When maintenance was switched on or off last, RFC 3339 in UTC; `null`: never. */
  readonly since: string | null;
  /** Name of the token that switched it. */
  readonly by: string | null;
}

export const NO_MAINTENANCE: Maintenance = { enabled: false, reason: null, since: null, by: null };

export const MaintenanceChange = z.strictObject({
  enabled: z.boolean(),
  reason: z.string().max(1_000).nullish(),
});
export type MaintenanceChange = z.infer<typeof MaintenanceChange>;

/** A time during which maintenance was on, in milliseconds since the epoch. */
export interface Span {
  readonly fromMs: number;
  /** `null`: it has not ended. */
  readonly toMs: number | null;
}

/**
 * Whether an observation was made during maintenance, when hosts restart and models warm up. Such an observation is
 * stored, shown and counted in the history, but scanners do not get it.
 */
export function isExempt(tsMs: number, spans: readonly Span[]): boolean {
  return spans.some(({ fromMs, toMs }) => tsMs >= fromMs && (toMs === null || tsMs < toMs));
}

/** After maintenance no gap is resolved for this time: problems from before need time to show in new observations. */
export const SETTLE_MS = 60_000;
