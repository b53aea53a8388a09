/** Buckets grow by this factor: a quantile is off by at most 1 %. */
const GROWTH = 1.02;
const LOG_GROWTH = Math.log(GROWTH);

/** A sketch as JSON: pairs of bucket and count, flat. */
export type SketchData = readonly number[];

/**
 * Quantiles of durations in constant space: counts in buckets whose width grows with the value. Two sketches add up to
 * the sketch of everything that went into either, so that hours merge into days and recipients into a queue.
 *
 * @see Masson, Rim, Lee, "DDSketch: a fast and fully-mergeable quantile sketch", VLDB 2019 (the source of the buckets)
 */
export class LogSketch {
  readonly #counts: Map<number, number>;
  #total = 0;

  constructor(data: SketchData = []) {
    this.#counts = new Map();
    for (let place = 0; place + 1 < data.length; place += 2) this.#count(data[place] ?? 0, data[place + 1] ?? 0);
  }

  get total(): number {
    return this.#total;
  }

  /** @param value - 0 or more; below 1 counts as 0 */
  add(value: number): void {
    this.#count(value < 1 ? 0 : 1 + Math.ceil(Math.log(value) / LOG_GROWTH), 1);
  }

  merge(other: LogSketch): this {
    for (const [bucket, count] of other.#counts) this.#count(bucket, count);
    return this;
  }

  /**
   * @param share - 0 to 1
   * @returns a value within 1 % of the exact quantile, or `null` for an empty sketch
   */
  quantile(share: number): number | null {
    if (this.#total === 0) return null;
    let left = Math.floor(share * (this.#total - 1));
    for (const bucket of [...this.#counts.keys()].sort((a, b) => a - b)) {
      left -= this.#counts.get(bucket) ?? 0;
      if (left < 0) return bucket === 0 ? 0 : middleOf(bucket);
    }
    return null;
  }

  toJSON(): SketchData {
    return [...this.#counts].flat();
  }

  #count(bucket: number, count: number): void {
    this.#counts.set(bucket, (this.#counts.get(bucket) ?? 0) + count);
    this.#total += count;
  }
}

/** The value in the bucket's middle, as ratios go. */
function middleOf(bucket: number): number {
  return (2 * GROWTH ** (bucket - 1)) / (GROWTH + 1);
}
