/** Counts events of the last minute in twelve buckets of five seconds. In memory only: people look at the rate, and nothing is decided by it. */
export class RateMeter {
  readonly #buckets = new Array<number>(12).fill(0);
  #bucket = 0;

  add(count: number, nowMs: number): void {
    this.#advance(nowMs);
    const place = this.#bucket % 12;
    this.#buckets[place] = (this.#buckets[place] ?? 0) + count;
  }

  lastMinute(nowMs: number): number {
    this.#advance(nowMs);
    return this.#buckets.reduce((sum, count) => sum + count, 0);
  }

  #advance(nowMs: number): void {
    const bucket = Math.floor(nowMs / 5_000);
    if (bucket <= this.#bucket) return;
    for (let passed = Math.max(this.#bucket + 1, bucket - 11); passed <= bucket; passed++)
      this.#buckets[passed % 12] = 0;
    this.#bucket = bucket;
  }
}
