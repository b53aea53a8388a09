import type { PER_MINUTE, Rate, Use } from "./amounts.ts";

/** What is asked for. A kind that is not named takes nothing, and waits where there is nothing left of it. */
export type Ask = Partial<Use>;

/** For whom a reservation is, as far as was said. */
export interface Subject {
  readonly agent?: string;
  readonly task?: string;
  readonly chain?: string;
  readonly model?: string;
}

/** What stood in the way of a reservation. */
export type Why =
  | (typeof PER_MINUTE)[Rate]
  | "closed"
  | "probing"
  | "concurrency"
  | "usd_per_day"
  | "budget"
  | "too_large";

/** A reservation that was not granted. */
export interface Refused {
  readonly why: Why;
  /** Of a limit that is closed, or a budget that is spent: the reason. */
  readonly reason?: string;
  /** No time and no settlement will have it granted. */
  readonly isFinal?: true;
  /** Of a budget: its name. */
  readonly budget?: string;
  /** When it would be granted, if nothing else happens; absent: that depends on other reservations, or never. */
  readonly untilMs?: number;
}

/** What a settlement met. Whatever it met, what was used counts, once. */
export type SettledAs = "settled" | "repeated" | "expired" | "unknown";

export interface Closed {
  readonly reason: string;
  readonly untilMs: number;
}
