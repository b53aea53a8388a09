/** The place of an owner in a {@link Ranking}, and how often it is counted there. */
export class Rank<Owner> {
  readonly owner: Owner;
  /** Only the ranking writes these. */
  count = 0;
  step: Step<Owner> | undefined;

  constructor(owner: Owner) {
    this.owner = owner;
  }
}

/** The ranks of one count, which is above 0. Those that reached the count first are first. */
interface Step<Owner> {
  count: number;
  readonly ranks: Set<Rank<Owner>>;
  lower: Step<Owner> | undefined;
  higher: Step<Owner> | undefined;
}

/**
 * Counts by owner, and the owner with the highest count. Counts change by one, so that a rank moves to the step beside its own,
 * and no search is ever needed. A rank that is alone on its step takes the step along, where the next one is free: most ranks
 * of most windows do, and nothing is allocated then.
 *
 * The structure is that of "An O(1) algorithm for implementing the LFU cache eviction scheme" (Shah, Mitra, Matani, 2010).
 */
export class Ranking<Owner> {
  #lowest: Step<Owner> | undefined;
  #highest: Step<Owner> | undefined;

  /** Who is counted most; of several, the one that reached the count first. */
  get most(): Owner | undefined {
    for (const { owner } of this.#highest?.ranks ?? []) return owner;
    return undefined;
  }

  /** Counts an owner once more. */
  raise(rank: Rank<Owner>): void {
    const { step } = rank;
    this.#move(rank, rank.count + 1, step, step === undefined ? this.#lowest : step.higher);
  }

  /** Counts an owner once less; one that is not counted stays so. */
  lower(rank: Rank<Owner>): void {
    const { step } = rank;
    if (step !== undefined) this.#move(rank, rank.count - 1, step.lower, step);
  }

  /** @param below - the steps between which that of the new count is, or would be, where they are not that step themselves */
  #move(rank: Rank<Owner>, count: number, below: Step<Owner> | undefined, above: Step<Owner> | undefined): void {
    const from = rank.step;
    rank.count = count;
    let to = below?.count === count ? below : above?.count === count ? above : undefined;
    if (to === undefined && count > 0) {
      if (from?.ranks.size === 1) {
        from.count = count;
        return;
      }
      to = this.#insert(count, below, above);
    }
    to?.ranks.add(rank);
    rank.step = to;
    if (from === undefined) return;
    from.ranks.delete(rank);
    if (from.ranks.size === 0) this.#join(from.lower, from.higher);
  }

  #insert(count: number, below: Step<Owner> | undefined, above: Step<Owner> | undefined): Step<Owner> {
    const step: Step<Owner> = { count, ranks: new Set(), lower: undefined, higher: undefined };
    this.#join(below, step);
    this.#join(step, above);
    return step;
  }

  /** Puts two steps beside each other; `undefined`: the end on that side. */
  #join(lower: Step<Owner> | undefined, higher: Step<Owner> | undefined): void {
    if (lower === undefined) this.#lowest = higher;
    else lower.higher = higher;
    if (higher === undefined) this.#highest = lower;
    else higher.lower = lower;
  }
}
