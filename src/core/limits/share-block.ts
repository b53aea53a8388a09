import { NO_USE, RATES, type Use } from "./amounts.ts";
import type { Ask } from "./outcomes.ts";
import { leastOf, lessOf, sumOf } from "./uses.ts";

interface BlockOptions {
  readonly reservation: string;
  /** What was granted. */
  readonly amounts: Ask;
  /** Calls at a time. */
  readonly calls: number;
  /** No call begins after it. */
  readonly untilMs: number;
}

/** Below this part of any amount the next block is asked for. */
const LOW = 1 / 3;
const KINDS = [...RATES, "nanos"] as const;

/**
 * A part of a limit that one process holds and gives to its calls, with no request for each. It gives out no more than was
 * granted: what is open counts as it was taken, and what a call did not use comes back to the block.
 */
export class ShareBlock {
  readonly reservation: string;
  readonly untilMs: number;
  readonly #amounts: Ask;
  readonly #calls: number;
  readonly #open = new Map<number, Use>();
  #used: Use = NO_USE;
  #number = 0;

  constructor({ reservation, amounts, calls, untilMs }: BlockOptions) {
    this.reservation = reservation;
    this.untilMs = untilMs;
    this.#amounts = amounts;
    this.#calls = calls;
  }

  get open(): number {
    return this.#open.size;
  }

  /** What calls have used that ended. */
  get used(): Use {
    return this.#used;
  }

  /** What was used, where open calls use what they took. */
  get taken(): Use {
    return [...this.#open.values()].reduce(sumOf, this.#used);
  }

  /** @returns the number of the call; `undefined`: there is no room for it */
  take(ask: Ask, nowMs: number): number | undefined {
    const taken = this.taken;
    if (nowMs >= this.untilMs || this.#open.size >= this.#calls) return undefined;
    const use = { ...NO_USE, requests: 1, ...ask };
    // Of a kind that the block does not have, nobody knows what is left.
    for (const kind of [...RATES, "nanos"] as const) {
      const most = this.#amounts[kind] ?? 0;
      if (use[kind] > 0 && taken[kind] + use[kind] > most) return undefined;
      if (most > 0 && taken[kind] >= most) return undefined;
    }
    this.#open.set(++this.#number, use);
    return this.#number;
  }

  /**
   * @param used - of what it took
   * @returns what it used beyond that; the block was granted without it
   */
  end(call: number, used: (taken: Use) => Use): Use {
    const took = this.#open.get(call);
    if (took === undefined) return NO_USE;
    this.#open.delete(call);
    const use = used(took);
    this.#used = sumOf(this.#used, leastOf(use, took));
    return lessOf(use, took);
  }

  /** Ends a call whose whole use counts within the block, also what goes beyond: so much less is left for others. */
  count(call: number, use: Use): void {
    if (this.#open.delete(call)) this.#used = sumOf(this.#used, use);
  }

  /** Whether nothing is left of a kind that it has, so that no call gets room. */
  isSpent(): boolean {
    const { taken } = this;
    return KINDS.some((kind) => (this.#amounts[kind] ?? 0) > 0 && taken[kind] >= (this.#amounts[kind] ?? 0));
  }

  /** Whether the next block should be asked for. */
  isLow(): boolean {
    const { taken } = this;
    return KINDS.some((kind) => {
      const most = this.#amounts[kind] ?? 0;
      return most > 0 && most - taken[kind] < most * LOW;
    });
  }
}
