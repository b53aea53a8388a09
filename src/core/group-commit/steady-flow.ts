import { ExpiringMap } from "../collections/expiring-map.ts";
import { TokenBucket, type TokenBucketOptions } from "./token-bucket.ts";

/** A sender whose next item comes so soon after the answer to the one before waits for answers; in milliseconds. */
const PROMPT_MS = 25;
/** As many items in a row must have come so: senders that do not wait do so by chance now and then. */
const PROMPT_ITEMS = 8;
const SENDERS = 1_000;
const REMEMBER_MS = 1_000;

interface Sender {
  readonly answeredMs: number;
  readonly prompt: number;
}

/**
 * Finds out whether many senders send all the time, each without waiting for answers: then items may wait for each other, as
 * each group costs a row. A sender that waits for each answer would only be slowed down by that.
 */
export class SteadyFlow {
  readonly #groups: TokenBucket;
  readonly #senders = new ExpiringMap<Sender>(SENDERS, REMEMBER_MS);

  /** @param groups - so many groups are written at once before a flow counts as steady, and each second however long it lasts */
  constructor(groups: TokenBucketOptions) {
    this.#groups = new TokenBucket(groups);
  }

  /** An item has come. @returns how long it may wait for company, in milliseconds; 0: not at all */
  waitMs(sender: string, nowMs: number): number {
    const known = this.#senders.get(sender, nowMs);
    if (known !== undefined) {
      const prompt = nowMs - known.answeredMs < PROMPT_MS ? known.prompt + 1 : 0;
      this.#senders.set(sender, { answeredMs: known.answeredMs, prompt }, nowMs);
      if (prompt >= PROMPT_ITEMS) return 0;
    }
    return this.#groups.waitMs(nowMs);
  }

  /** A group was written, and its senders were answered. */
  written(senders: Iterable<string>, nowMs: number): void {
    this.#groups.take(nowMs);
    for (const sender of senders) {
      const prompt = this.#senders.get(sender, nowMs)?.prompt ?? 0;
      this.#senders.set(sender, { answeredMs: nowMs, prompt }, nowMs);
    }
  }
}
