import type { Use } from "../amounts.ts";
import type { Ask, Refused, Subject } from "../outcomes.ts";
import type { Charge } from "../state.ts";

/** What budgets say to reservations, and count of them. */
export interface Spending {
  /** @returns why a budget does not let it be granted now */
  look(ask: Ask, subject: Subject): Refused | undefined;
  /** Something was granted. @returns the counters that hold it */
  hold(use: Use, subject: Subject): readonly Charge[];
  /** A reservation ended: what was used of it is spent, and the rest comes back. */
  release(charges: readonly Charge[], reserved: Use, used: Use): void;
  /** Something was used that no reservation holds. */
  charge(used: Use, subject: Subject): void;
}

export const NO_BUDGETS: Spending = {
  look: () => undefined,
  hold: () => [],
  release: () => undefined,
  charge: () => undefined,
};
