import { FairQueue, type Held } from "../../collections/fair-queue.ts";
import type { Sample } from "./sample.ts";

export interface WindowLimits {
  /** Length in milliseconds; default 300,000. */
  readonly windowMs: number;
  /** Samples kept at most; beyond that the oldest of who sends the most leave early. Default 10,000. */
  readonly capacity: number;
  /** What the samples may take in memory, in bytes; beyond that they leave as beyond the capacity. Default: anything. */
  readonly bytes?: number;
}

/** Which limit a sample had to leave for. */
export type CrowdedBy = "capacity" | "bytes";

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
 * A full window takes room from whoever has the most samples in it, so that a flood from one token, or from one source of
 * a token, shortens its own window and nobody else's.
 *
 * Samples stand in an array behind a moving start, and the part before it is cut off when it makes up half of the array: arrival at the
 * end and leaving at the start cost O(1) on average, a late arrival O(number of samples after it). A sample that leaves
 * from the middle is passed over, and taken out together with others when they make up half of the array.
 */
export class ObservationWindow {
  readonly #limits: WindowLimits;
  readonly #listener: WindowListener | undefined;
  readonly #crowdedOut: (sample: Sample, by: CrowdedBy) => void;
  readonly #held = new FairQueue<Sample>(isBefore);
  #samples: Held<Sample>[] = [];
  #start = 0;
  #bytes = 0;

  /** @param crowdedOut - called for a sample that has to leave because its sender has too many, while others keep theirs */
  constructor(
    limits: WindowLimits = DEFAULT_WINDOW,
    listener?: WindowListener,
    crowdedOut: (sample: Sample, by: CrowdedBy) => void = () => {},
  ) {
    this.#limits = limits;
    this.#listener = listener;
    this.#crowdedOut = crowdedOut;
  }

  get size(): number {
    return this.#held.size;
  }

  /** What the samples take in memory, about. */
  get bytes(): number {
    return this.#bytes;
  }

  /** @returns whether the sample was added: `false` when it is older than the window at `nowMs` */
  add(sample: Sample, nowMs: number): boolean {
    if (this.#isOld(sample, nowMs)) return false;
    const held = this.#held.add(sample, sample.party);
    const place = this.#placeOf(sample);
    if (place === this.#samples.length) this.#samples.push(held);
    else this.#samples.splice(place, 0, held);
    this.#bytes += sample.bytes;
    this.#listener?.observe(sample);
    const { capacity, bytes = Number.POSITIVE_INFINITY } = this.#limits;
    while (this.size > capacity) this.#makeRoom("capacity");
    while (this.#bytes > bytes && this.size > 0) this.#makeRoom("bytes");
    return true;
  }

  /** Removes the samples that are older than the window at `nowMs`. */
  advance(nowMs: number): void {
    for (let oldest = this.#oldest; oldest !== undefined && this.#isOld(oldest.item, nowMs); oldest = this.#oldest)
      this.#leave(oldest);
  }

  /** Samples of the last `lastMs` (the whole window at most) before `nowMs`, oldest first. */
  read(nowMs: number, lastMs = this.#limits.windowMs): Sample[] {
    const sinceMs = nowMs - Math.min(lastMs, this.#limits.windowMs);
    let low = this.#start;
    let high = this.#samples.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const sample = this.#samples[middle]?.item;
      if (sample !== undefined && sample.tsMs < sinceMs) low = middle + 1;
      else high = middle;
    }
    return this.#from(low);
  }

  /** All samples, oldest first, including those that became too old since {@link advance}. */
  all(): Sample[] {
    return this.#from(this.#start);
  }

  #from(place: number): Sample[] {
    const samples: Sample[] = [];
    for (; place < this.#samples.length; place++) {
      const held = this.#samples[place];
      if (held?.held === true) samples.push(held.item);
    }
    return samples;
  }

  get #oldest(): Held<Sample> | undefined {
    while (this.#samples[this.#start]?.held === false) this.#start++;
    return this.#samples[this.#start];
  }

  #isOld(sample: Sample, nowMs: number): boolean {
    return sample.tsMs < nowMs - this.#limits.windowMs;
  }

  #placeOf(sample: Sample): number {
    let place = this.#samples.length;
    // Almost everything arrives in order, so looking from the end beats a binary search.
    for (; place > this.#start; place--) {
      const before = this.#samples[place - 1];
      if (before === undefined || isBefore(before.item, sample)) break;
    }
    return place;
  }

  #makeRoom(by: CrowdedBy): void {
    const held = this.#held.firstOfGreediest();
    if (held === undefined) return;
    // Where all samples are of one party, they leave as they always did, and nobody is to be named.
    if (by === "bytes" || this.#held.of(held.party) < this.size) this.#crowdedOut(held.item, by);
    this.#leave(held);
  }

  #leave(held: Held<Sample>): void {
    this.#held.remove(held);
    this.#bytes -= held.item.bytes;
    const { length } = this.#samples;
    if (length > 2_048 && this.size * 2 < length) {
      this.#samples = this.#samples.slice(this.#start).filter((one) => one.held);
      this.#start = 0;
    }
    this.#listener?.forget(held.item);
  }
}

const isBefore = (a: Sample, b: Sample) => a.tsMs < b.tsMs || (a.tsMs === b.tsMs && a.seq < b.seq);
