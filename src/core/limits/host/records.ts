import type * as z from "zod";
import { formatTimestamp } from "../../signals/timestamp.ts";
import { type Amounts, NO_USE, type Use, usdOf } from "../amounts.ts";
import type { SettleRequest } from "../api.ts";
import type { Subject } from "../outcomes.ts";

/** What is to be told to the edge; its reservation is stable, so that what is told twice counts once. */
export interface Settlement {
  readonly limit: string;
  readonly request: SettleRequest;
}

/** What must be on the disk before anybody is answered, so that nothing counts twice or never after a crash. */
export type HostRecord =
  | { readonly kind: "block"; readonly reservation: string; readonly limit: string }
  /** A call has ended within this block, or after it. */
  | { readonly kind: "ended"; readonly id: string; readonly block: string | null; readonly use: Use }
  /** A call was counted as it was reserved, when its block was settled. */
  | { readonly kind: "counted"; readonly id: string; readonly took: Use }
  /** The block is over, where it is one; and what is to be told. */
  | { readonly kind: "settlement"; readonly settlement: Settlement };

export const closingOf = (limit: string, id: string, outcome: SettleRequest["outcome"]): HostRecord => ({
  kind: "settlement",
  settlement: { limit, request: { reservation: `${id}-closed`, amounts: amountsOf(NO_USE), outcome } },
});

export const ended = (id: string, block: string | null, use: Use): HostRecord => ({ kind: "ended", id, block, use });

export const settlementOf = (limit: string, reservation: string, use: Use, subject: Subject = {}): HostRecord => ({
  kind: "settlement",
  settlement: { limit, request: { reservation, amounts: amountsOf(use), ...subject } },
});

export function amountsOf({ nanos, ...tokens }: Use): Amounts {
  return { ...tokens, usd: usdOf(nanos) };
}

/** A settlement as it is sent: times as text. */
export function wireOf({ outcome, ...request }: SettleRequest): z.input<typeof SettleRequest> {
  if (outcome === undefined) return request;
  const { until, ...said } = outcome;
  return { ...request, outcome: { ...said, ...(until !== undefined && { until: formatTimestamp(until) }) } };
}

/** What the edge is asked for. Kinds that no call asked for are left out. */
export function askedAmounts(use: Use): Amounts {
  return Object.fromEntries(
    Object.entries(amountsOf(use)).filter(([kind, amount = 0]) => amount > 0 || kind === "requests"),
  );
}
