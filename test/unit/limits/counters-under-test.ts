import type { CounterLedger } from "../../../src/core/limits/budgets/budget-machine.ts";
import type { Counter } from "../../../src/core/limits/budgets/counter.ts";
import type { Charge } from "../../../src/core/limits/state.ts";

/** Counters in memory. */
export class MemoryCounters implements CounterLedger {
  readonly rows = new Map<string, Counter>();
  readonly #most: number;

  constructor(most = 1_000) {
    this.#most = most;
  }

  read(charge: Charge): Counter | undefined {
    return this.rows.get(keyOf(charge));
  }

  hasRoom(budget: string): boolean {
    return [...this.rows.values()].filter((counter) => counter.budget === budget).length < this.#most;
  }

  write(counter: Counter): void {
    this.rows.set(keyOf(counter), counter);
  }
}

const keyOf = ({ budget, subject, day }: Charge) => `${budget} ${day} ${subject}`;
