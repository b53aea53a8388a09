import { FairQueue, type Party } from "../../collections/fair-queue.ts";
import type { FindingWithCause } from "./scanner.ts";

/** A finder of so many times the findings that count is taken for faulty: it would never end. */
const FAULTY = 500;

/** Findings that did not count, by those who sent their samples. */
export type LeftOut = ReadonlyMap<string, { readonly party: Party; readonly findings: number }>;

/**
 * The findings of one evaluation of one scanner, a bounded number. Where there are more, those who sent the samples of the
 * most findings lose their newest: who invents a thousand reporters hides none of anybody else.
 */
export class FairFindings {
  readonly #most: number;
  readonly #kept = new FairQueue<FindingWithCause>();
  readonly #leftOut = new Map<string, { readonly party: Party; findings: number }>();
  #found = 0;

  /** @param most - findings that count */
  constructor(most: number) {
    this.#most = most;
  }

  /** @throws Error for a scanner that does not end */
  add(finding: FindingWithCause): void {
    const faulty = this.#most * FAULTY;
    if (++this.#found > faulty) throw new Error(`more than ${faulty} findings in one evaluation`);
    const { parties = [], cause } = finding;
    this.#kept.add(finding, this.#kept.leastOf(parties) ?? cause.party);
    if (this.#kept.size <= this.#most) return;
    const last = this.#kept.lastOfGreediest();
    if (last === undefined) return;
    this.#kept.remove(last);
    const { party } = last;
    const key = `${party.sender} ${party.source}`;
    const known = this.#leftOut.get(key) ?? { party, findings: 0 };
    known.findings++;
    this.#leftOut.set(key, known);
  }

  /** By name, because the order of the groups depends on which samples were observed since the start. */
  get kept(): FindingWithCause[] {
    return [...this.#kept.all()]
      .map(({ item }) => item)
      .sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0));
  }

  get leftOut(): LeftOut {
    return this.#leftOut;
  }
}
