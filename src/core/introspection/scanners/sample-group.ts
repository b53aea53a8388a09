import type { Sample } from "../window/sample.ts";

/** Reporters named in evidence at most: it travels in every signal of the gap. */
const NAMED_REPORTERS = 20;

/**
 * The samples behind one group, as far as evidence needs them: how many, whose, and between which places in the log.
 *
 * They come in the order of the log and leave in the order of their own time. Those that leave from the middle are
 * marked and taken out when an end reaches them, so that coming and leaving cost O(1) on average.
 */
export class SampleGroup {
  #samples: Sample[] = [];
  #start = 0;
  readonly #gone = new Set<number>();
  readonly #reporters = new Map<string, number>();

  get size(): number {
    return this.#samples.length - this.#start - this.#gone.size;
  }

  /** Lowest in the log. */
  get first(): Sample {
    return this.#at(this.#start);
  }

  /** Highest in the log. */
  get newest(): Sample {
    return this.#at(this.#samples.length - 1);
  }

  /** In alphabetical order, so that they do not depend on who came first. */
  get reporters(): string[] {
    return [...this.#reporters.keys()].sort().slice(0, NAMED_REPORTERS);
  }

  add(sample: Sample): void {
    this.#samples.push(sample);
    this.#reporters.set(sample.reporter, (this.#reporters.get(sample.reporter) ?? 0) + 1);
  }

  remove(sample: Sample): void {
    const left = (this.#reporters.get(sample.reporter) ?? 0) - 1;
    if (left > 0) this.#reporters.set(sample.reporter, left);
    else this.#reporters.delete(sample.reporter);
    this.#gone.add(sample.seq);
    while (this.#start < this.#samples.length && this.#gone.delete(this.#at(this.#start).seq)) this.#start++;
    while (this.#samples.length > this.#start && this.#gone.delete(this.newest.seq)) this.#samples.pop();
    if (this.#start > 64 && this.#start * 2 > this.#samples.length) {
      this.#samples = this.#samples.slice(this.#start);
      this.#start = 0;
    }
  }

  #at(place: number): Sample {
    const sample = this.#samples[place];
    if (sample === undefined) throw new RangeError("a group without samples has no ends");
    return sample;
  }
}

/** Groups that come with their first sample and go with their last. */
export class GroupMap<Group extends { readonly samples: SampleGroup }> {
  readonly #groups = new Map<string, Group>();
  readonly #open: () => Group;

  constructor(open: () => Group) {
    this.#open = open;
  }

  observe(key: string, sample: Sample): Group {
    let group = this.#groups.get(key);
    if (group === undefined) {
      group = this.#open();
      this.#groups.set(key, group);
    }
    group.samples.add(sample);
    return group;
  }

  /** @returns the group as it is without the sample; it is still to take the sample's figures out */
  forget(key: string, sample: Sample): Group {
    const group = this.#groups.get(key);
    if (group === undefined) throw new RangeError(`no sample of ${key} was observed`);
    group.samples.remove(sample);
    if (group.samples.size === 0) this.#groups.delete(key);
    return group;
  }

  /** Groups of at least `minSamples`. */
  *judged(minSamples: number): Generator<[key: string, group: Group]> {
    for (const entry of this.#groups) if (entry[1].samples.size >= minSamples) yield entry;
  }

  get(key: string): Group | undefined {
    return this.#groups.get(key);
  }
}
