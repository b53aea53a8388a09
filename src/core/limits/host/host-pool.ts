import { NO_USE, type Use } from "../amounts.ts";
import type { Ask, Subject } from "../outcomes.ts";
import { ShareBlock } from "../share-block.ts";
import { sumOf } from "../uses.ts";
import { Demand, SPAN_MS, type Wish } from "./demand.ts";

/** How long the edge keeps a block for its holder, in seconds: the longest that the edge allows. */
export const BLOCK_SECONDS = 30;
/** A block is settled so long before the edge would let it expire. */
const MARGIN_MS = 6_000;
/** A block that no call has used for so long is given back. */
const IDLE_MS = 2_000;

/** A part of a limit that the host holds. */
export interface HostBlock {
  readonly block: ShareBlock;
  /** No call begins in it after this time, and it is settled when its last call has ended. */
  readonly givesUntilMs: number;
  /** It is settled at this time, whatever is open: open calls then count as they were reserved. */
  readonly untilMs: number;
  /** The limit was closed: no call begins in it any more. */
  ended?: true;
}

/** A call that holds a part of a block. */
export interface HostCall {
  readonly pool: HostPool;
  readonly of: HostBlock;
  readonly number: number;
  readonly took: Use;
  readonly model: string | undefined;
}

/** The blocks of one limit that are granted for one subject, and what is asked of them. Has no clock. */
export class HostPool {
  readonly limit: string;
  readonly subject: Subject;
  readonly demand = new Demand();
  readonly blocks = new Set<HostBlock>();
  /** No block is asked for before: none was granted, and calls reserve alone. */
  aloneUntilMs = 0;
  readonly #waiting = new Map<string, Use>();

  constructor(limit: string, subject: Subject) {
    this.limit = limit;
    this.subject = subject;
  }

  get open(): number {
    let open = 0;
    for (const { block } of this.blocks) open += block.open;
    return open;
  }

  take(ask: Ask, model: string | undefined, nowMs: number): HostCall | undefined {
    for (const of of this.blocks) {
      const number = of.ended === true ? undefined : of.block.take(ask, nowMs);
      if (number !== undefined) return { pool: this, of, number, took: useOfAsk(ask), model };
    }
    return undefined;
  }

  /** A call found no room, and waits for a block. */
  wait(id: string, ask: Ask): void {
    this.#waiting.set(id, useOfAsk(ask));
  }

  endWait(id: string): void {
    this.#waiting.delete(id);
  }

  /** What the next block is to have. @param least - only what the calls need that wait for it */
  wish(least: boolean, nowMs: number): Wish {
    const needed = { use: [...this.#waiting.values()].reduce(sumOf, NO_USE), calls: Math.max(1, this.#waiting.size) };
    return least ? { ...needed, calls: Math.min(200, needed.calls) } : this.demand.wish(needed, nowMs);
  }

  /** Whether a block should be asked for before calls have to wait for it. */
  isLow(nowMs: number): boolean {
    if (nowMs < this.aloneUntilMs) return false;
    for (const { block, givesUntilMs, ended } of this.blocks)
      if (nowMs < givesUntilMs && ended !== true && !block.isLow()) return false;
    return true;
  }

  add(reservation: string, wish: Wish, askedMs: number): HostBlock {
    const givesUntilMs = askedMs + SPAN_MS;
    // Its time is counted from when it was asked for, which is not later than the edge counts it from.
    const of = {
      block: new ShareBlock({ reservation, amounts: amountsOf(wish.use), calls: wish.calls, untilMs: givesUntilMs }),
      givesUntilMs,
      untilMs: askedMs + BLOCK_SECONDS * 1_000 - MARGIN_MS,
    };
    this.blocks.add(of);
    return of;
  }

  /** Blocks that are to be settled now. */
  over(nowMs: number): HostBlock[] {
    return [...this.blocks].filter((of) => nowMs >= this.#overMs(of, nowMs));
  }

  /** When the next block is over, if nothing else happens. */
  nextMs(nowMs: number): number | undefined {
    let next: number | undefined;
    for (const of of this.blocks) next = Math.min(next ?? Number.POSITIVE_INFINITY, this.#overMs(of, nowMs));
    return next;
  }

  #overMs({ block, givesUntilMs, untilMs, ended }: HostBlock, nowMs: number): number {
    if (block.open > 0) return untilMs;
    if (block.isSpent() || ended === true) return nowMs;
    return Math.min(givesUntilMs, this.demand.lastMs + IDLE_MS);
  }
}

const useOfAsk = (ask: Ask): Use => ({ ...NO_USE, ...ask });

/** Of a kind that is not asked for the block has nothing, and the edge is not asked for it. */
function amountsOf(use: Use): Ask {
  return Object.fromEntries(Object.entries(use).filter(([, amount]) => amount > 0));
}
