import type { Party } from "../../collections/fair-queue.ts";
import type { Sample } from "../window/sample.ts";

/** Reporters named in evidence at most, because every signal of the gap carries the evidence. */
const NAMED_REPORTERS = 20;
/** Senders that share the room of a finding. */
const NAMED_PARTIES = 8;

/**
 * The samples of one group, for the evidence: their number, their reporters, and their lowest and highest sequence number.
 *
 * Samples are added in the order of the log and removed in the order of event time. A sample removed from the middle is
 * marked, and taken out when the start or the end reaches it, so that adding and removing cost O(1) on average.
 */
export class SampleGroup {
  #samples: Sample[] = [];
  #start = 0;
  readonly #gone = new Set<number>();
  readonly #reporters = new Map<string, number>();
  /** By sender and source. */
  readonly #parties = new Map<string, Map<string, { readonly party: Party; count: number }>>();

  get size(): number {
    return this.#samples.length - this.#start - this.#gone.size;
  }

  /** The sample with the lowest sequence number. */
  get first(): Sample {
    return this.#at(this.#start);
  }

  /** The sample with the highest sequence number. */
  get newest(): Sample {
    return this.#at(this.#samples.length - 1);
  }

  /** In alphabetical order, so that they do not depend on who came first. */
  get reporters(): string[] {
    return [...this.#reporters.keys()].sort().slice(0, NAMED_REPORTERS);
  }

  /** Who sent the samples; of many, some. */
  get parties(): Party[] {
    const parties: Party[] = [];
    for (const sources of this.#parties.values())
      for (const { party } of sources.values()) if (parties.push(party) >= NAMED_PARTIES) return parties;
    return parties;
  }

  add(sample: Sample): void {
    this.#samples.push(sample);
    const { party } = sample;
    let sources = this.#parties.get(party.sender);
    if (sources === undefined) {
      sources = new Map();
      this.#parties.set(party.sender, sources);
    }
    const known = sources.get(party.source);
    if (known === undefined) sources.set(party.source, { party, count: 1 });
    else known.count++;
    this.#reporters.set(sample.reporter, (this.#reporters.get(sample.reporter) ?? 0) + 1);
  }

  remove(sample: Sample): void {
    const left = (this.#reporters.get(sample.reporter) ?? 0) - 1;
    if (left > 0) this.#reporters.set(sample.reporter, left);
    else this.#reporters.delete(sample.reporter);
    this.#removeParty(sample.party);
    // Mostly the first one leaves, and need not be marked.
    if (this.first.seq === sample.seq) this.#start++;
    else this.#gone.add(sample.seq);
    while (this.#start < this.#samples.length && this.#gone.delete(this.#at(this.#start).seq)) this.#start++;
    while (this.#samples.length > this.#start && this.#gone.delete(this.newest.seq)) this.#samples.pop();
    if (this.#start > 64 && this.#start * 2 > this.#samples.length) {
      this.#samples = this.#samples.slice(this.#start);
      this.#start = 0;
    }
  }

  #removeParty({ sender, source }: Party): void {
    const sources = this.#parties.get(sender);
    const known = sources?.get(source);
    if (sources === undefined || known === undefined || --known.count > 0) return;
    sources.delete(source);
    if (sources.size === 0) this.#parties.delete(sender);
  }

  #at(place: number): Sample {
    const sample = this.#samples[place];
    if (sample === undefined) throw new RangeError("the group has no samples");
    return sample;
  }
}

/** Groups by key. A group exists from its first sample to its last. */
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

  /** @returns the group without the sample; the caller must still subtract the sample's figures */
  forget(key: string, sample: Sample): Group {
    const group = this.#groups.get(key);
    if (group === undefined) throw new RangeError(`no sample of "${key}" was observed`);
    group.samples.remove(sample);
    if (group.samples.size === 0) this.#groups.delete(key);
    return group;
  }

  /** Groups of at least `minSamples`. */
  *withSamples(minSamples: number): Generator<[key: string, group: Group]> {
    for (const entry of this.#groups) if (entry[1].samples.size >= minSamples) yield entry;
  }

  get(key: string): Group | undefined {
    return this.#groups.get(key);
  }
}
