import { NO_USE, type Use } from "../amounts.ts";
import { lessOf, mostOf, sumOf, timesOf } from "../uses.ts";

/** What was asked for within this time is expected to be asked for again within the same time. */
export const SPAN_MS = 10_000;
/** What a first call asks for is not yet a rate: it counts as if it had come in this time. */
const FIRST_MS = 2_500;
/** Of one block, so that no host takes what others need. The schema of shares allows 1,000. */
const MAX_CALLS = 200;

/** Calls are counted together that come within this time. */
const STEP_MS = 250;

interface Asked {
  readonly atMs: number;
  use: Use;
}

/** What a block is to have, so that the calls of the next seconds cost no request. */
export interface Wish {
  readonly use: Use;
  readonly calls: number;
}

/** What the processes of a host asked for lately, of one limit. */
export class Demand {
  readonly #asked: Asked[] = [];
  #sum = NO_USE;
  #peak = 0;
  #sinceMs: number | undefined;
  lastMs = 0;

  /** @param open - calls that are open at this time, with this one */
  note(use: Use, open: number, nowMs: number): void {
    // After a pause nobody knows how much comes: it begins as a first call does.
    if (nowMs - this.lastMs > SPAN_MS) this.#sinceMs = nowMs;
    this.#sinceMs ??= nowMs;
    this.lastMs = nowMs;
    const last = this.#asked.at(-1);
    if (last !== undefined && nowMs < last.atMs + STEP_MS) last.use = sumOf(last.use, use);
    else this.#asked.push({ atMs: nowMs, use });
    this.#sum = sumOf(this.#sum, use);
    this.#peak = Math.max(this.#peak, open);
    this.#forget(nowMs);
  }

  /** @param needed - by calls that wait for it */
  wish(needed: Wish, nowMs: number): Wish {
    this.#forget(nowMs);
    const elapsedMs = Math.min(SPAN_MS, Math.max(FIRST_MS, nowMs - (this.#sinceMs ?? nowMs)));
    const expected = timesOf(this.#sum, SPAN_MS / elapsedMs);
    const calls = Math.min(MAX_CALLS, Math.max(needed.calls, Math.ceil(this.#peak * 1.5), 1));
    return { use: mostOf(expected, needed.use), calls };
  }

  #forget(nowMs: number): void {
    let first = this.#asked[0];
    while (first !== undefined && first.atMs <= nowMs - SPAN_MS) {
      this.#sum = lessOf(this.#sum, first.use);
      this.#asked.shift();
      first = this.#asked[0];
    }
    if (this.#asked.length === 0) [this.#sum, this.#peak] = [NO_USE, 0];
  }
}
