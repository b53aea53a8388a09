import type { Sample } from "./sample.ts";

export interface WindowLimits {
  /** Length in milliseconds; default 300,000. */
  readonly windowMs: number;
  /** Samples kept at most; beyond that the oldest leave early. Default 10,000. */
  readonly capacity: number;
}

export const DEFAULT_WINDOW: WindowLimits = { windowMs: 300_000, capacity: 10_000 };

/** Called for every sample that enters or leaves, so that scanners keep running sums instead of counting again. */
export interface WindowListener {
  observe(sample: Sample): void;
  forget(sample: Sample): void;
}

/**
 * The observations of the last `windowMs`, in the order of event time (ties by sequence number). A late sample is
 * inserted in its place; one older than the window is refused. The window ends at the given time, not at the newest
 * sample: otherwise one host with a wrong clock would decide which observations of all hosts are old.
 *
 * Samples stand in an array behind a moving start, and the part before it is cut off when it makes up half of the array: arrival at the
 * end and leaving at the start cost O(1) on average, a late arrival O(number of samples after it).
 */
export class ObservationWindow {
  readonly #limits: WindowLimits;
  readonly #listener: WindowListener | undefined;
  #samples: Sample[] = [];
  #start = 0;

  constructor(limits: WindowLimits = DEFAULT_WINDOW, listener?: WindowListener) {
    this.#limits = limits;
    this.#listener = listener;
  }

  get size(): number {
    return this.#samples.length - this.#start;
  }

  get oldest(): Sample | undefined {
    return this.#samples[this.#start];
  }

  get newest(): Sample | undefined {
    return this.size === 0 ? undefined : this.#samples.at(-1);
  }

  /** @returns whether the sample was added: `false` when it is older than the window at `nowMs` */
  add(sample: Sample, nowMs: number): boolean {
    if (this.#isOld(sample, nowMs)) return false;
    const place = this.#placeOf(sample);
    if (place === this.#samples.length) this.#samples.push(sample);
    else this.#samples.splice(place, 0, sample);
    this.#listener?.observe(sample);
    while (this.size > this.#limits.capacity) this.#leave();
    return true;
  }

  /** Removes the samples that are older than the window at `nowMs`. */
  advance(nowMs: number): void {
    for (let oldest = this.oldest; oldest !== undefined && this.#isOld(oldest, nowMs); oldest = this.oldest)
      this.#leave();
  }

  /** Samples of the last `lastMs` (the whole window at most) before `nowMs`, oldest first. */
  read(nowMs: number, lastMs = this.#limits.windowMs): Sample[] {
    const sinceMs = nowMs - Math.min(lastMs, this.#limits.windowMs);
    let low = this.#start;
    let high = this.#samples.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const sample = this.#samples[middle];
      if (sample !== undefined && sample.tsMs < sinceMs) low = middle + 1;
      else high = middle;
    }
    return this.#samples.slice(low);
  }

  /** All samples, oldest first, including those that became too old since {@link advance}. */
  all(): Sample[] {
    return this.#samples.slice(this.#start);
  }

  #isOld(sample: Sample, nowMs: number): boolean {
    return sample.tsMs < nowMs - this.#limits.windowMs;
  }

  #placeOf(sample: Sample): number {
    let place = this.#samples.length;
    // Almost everything arrives in order, so looking from the end beats a binary search.
    for (; place > this.#start; place--) {
      const before = this.#samples[place - 1];
      if (before === undefined || before.tsMs < sample.tsMs || (before.tsMs === sample.tsMs && before.seq < sample.seq))
        break;
    }
    return place;
  }

  #leave(): void {
    const sample = this.#samples[this.#start];
    if (sample === undefined) return;
    this.#start++;
    if (this.#start > 1_024 && this.#start * 2 > this.#samples.length) {
      this.#samples = this.#samples.slice(this.#start);
      this.#start = 0;
    }
    this.#listener?.forget(sample);
  }
}
