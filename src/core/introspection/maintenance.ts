import * as z from "zod";

/** Maintenance of an ecosystem (R18): nothing is judged and no gap is sent; observations go on being taken in. */
export interface Maintenance {
  readonly enabled: boolean;
  readonly reason: string | null;
  /** When it was switched on or off last, RFC 3339 in UTC; `null`: never. */
  readonly since: string | null;
  /** Name of the token that did it. */
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
  /** `null`: it goes on. */
  readonly toMs: number | null;
}

/**
 * What happened during maintenance is not held against anybody: hosts that are restarted, models that warm up. It is
 * kept, shown and counted in the history, and no scanner sees it.
 */
export function isSpared(tsMs: number, spans: readonly Span[]): boolean {
  return spans.some(({ fromMs, toMs }) => tsMs >= fromMs && (toMs === null || tsMs < toMs));
}

/** After maintenance no gap is resolved for so long: whatever was wrong before must be given time to show again. */
export const SETTLE_MS = 60_000;
