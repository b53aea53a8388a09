/** Largest relative error of a quantile. */
const ERROR = 0.01;
const GAMMA = (1 + ERROR) / (1 - ERROR);
const LOG_GAMMA = Math.log(GAMMA);
/** Numbers nearer to 0 than this count as 0, which keeps the number of buckets below 3,500. */
const SMALLEST = 1e-9;
const LARGEST = 1e21;

/**
 * Counts of numbers in buckets that grow by 2 %: any quantile to within 1 % of its value, in memory that depends on
 * the spread of the numbers and not on how many there are. Unlike most sketches it can also remove numbers, because
 * a bucket counts down as it counts up. Two histograms merge into the histogram of all their numbers.
 *
 * @see Masson, Rim, Lee, "DDSketch: A Fast and Fully-Mergeable Quantile Sketch with Relative-Error Guarantees",
 * PVLDB 12 (2019)
 */
export class LogHistogram {
  /** Keys are {@link keyOf}: their order is the order of the numbers. */
  readonly #buckets = new Map<number, number>();
  #count = 0;

  get count(): number {
    return this.#count;
  }

  add(value: number, times = 1): void {
    const key = keyOf(value);
    this.#buckets.set(key, (this.#buckets.get(key) ?? 0) + times);
    this.#count += times;
  }

  /** Removes a number that was added before. */
  remove(value: number): void {
    const key = keyOf(value);
    const left = (this.#buckets.get(key) ?? 0) - 1;
    if (left < 0) throw new RangeError(`${value} was not added`);
    if (left === 0) this.#buckets.delete(key);
    else this.#buckets.set(key, left);
    this.#count--;
  }

  merge(other: LogHistogram): void {
    for (const [key, count] of other.#buckets) this.#buckets.set(key, (this.#buckets.get(key) ?? 0) + count);
    this.#count += other.#count;
  }

  /**
   * By nearest rank: the smallest number that a share of at least `share` does not exceed.
   * @param share - 0 to 1
   * @returns `NaN` while the histogram is empty
   */
  quantile(share: number): number {
    if (this.#count === 0) return Number.NaN;
    const rank = Math.max(1, Math.ceil(share * this.#count - 1e-9));
    let below = 0;
    for (const [key, count] of [...this.#buckets].sort(([a], [b]) => a - b)) {
      below += count;
      if (below >= rank) return numberAt(key);
    }
    return Number.NaN;
  }

  /** Pairs of a number, the middle of its bucket, and its count. Added to another histogram, they give the same buckets. */
  *entries(): Generator<[value: number, times: number]> {
    for (const [key, count] of this.#buckets) yield [numberAt(key), count];
  }

  /** Pairs of key and count, one after the other, keys as differences: short in JSON. */
  encode(): number[] {
    let before = 0;
    return [...this.#buckets]
      .sort(([a], [b]) => a - b)
      .flatMap(([key, count]) => {
        const step = key - before;
        before = key;
        return [step, count];
      });
  }

  static decode(pairs: readonly number[]): LogHistogram {
    const histogram = new LogHistogram();
    let key = 0;
    for (let place = 0; place + 1 < pairs.length; place += 2) {
      key += pairs[place] ?? 0;
      const count = pairs[place + 1] ?? 0;
      histogram.#buckets.set(key, count);
      histogram.#count += count;
    }
    return histogram;
  }
}

/** Added to the keys of positive numbers, so that they are above 0, the key of 0; negative numbers mirror them. */
const OFFSET = Math.ceil(-Math.log(SMALLEST) / LOG_GAMMA) + 1;

function keyOf(value: number): number {
  const size = Math.min(LARGEST, Math.abs(value));
  if (!(size > SMALLEST)) return 0;
  const key = Math.ceil(Math.log(size) / LOG_GAMMA) + OFFSET;
  return value < 0 ? -key : key;
}

function numberAt(key: number): number {
  if (key === 0) return 0;
  const size = (2 * GAMMA ** (Math.abs(key) - OFFSET)) / (GAMMA + 1);
  return key < 0 ? -size : size;
}
