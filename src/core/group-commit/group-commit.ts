export interface GroupCommitOptions<Item> {
  /** Writes a group in one transaction, and answers each of it in its order. Does not throw. */
  readonly commit: (items: readonly Item[]) => void;
  /** Resolves when everything that has arrived by now was given to {@link GroupCommit.add}. */
  readonly turn: () => Promise<void>;
  /** How long a group gathers in a crowd; about a millisecond. */
  readonly pause: () => Promise<void>;
  /** Told at once of an item for which there is no room. */
  readonly refuse: (item: Item) => void;
  /** How much an item carries: signals of an append, tasks of a frame. Default 1. */
  readonly weigh?: (item: Item) => number;
  /** Waiting weight beyond which new items are refused. Default 50,000. */
  readonly capacity?: number;
}

/** Weight, or items, at which a group waits for no more. */
const ENOUGH = { weight: 256, items: 40 } as const;

/**
 * Commits in groups. A lone item is committed at once, and so are its successors while each waits for the answer to the
 * one before. What arrives while that commit is being written waits for its turn to end: where it is more than one, a
 * crowd is there, and its next group gathers for a moment: sixty-four at the same time share one transaction and one
 * flush. It stays so until a moment that brings no more than one shows that the crowd has gone.
 */
export class GroupCommit<Item> {
  readonly #options: Required<GroupCommitOptions<Item>>;
  #waiting: Item[] = [];
  #weight = 0;
  #gathering = false;
  /** Items committed since gathering began. */
  #gathered = 0;

  constructor(options: GroupCommitOptions<Item>) {
    this.#options = { capacity: 50_000, weigh: () => 1, ...options };
  }

  /** Items are committed in the order of the calls; a lone one before this returns. */
  add(item: Item): void {
    const weight = this.#options.weigh(item);
    if (this.#weight + weight > this.#options.capacity) {
      this.#options.refuse(item);
      return;
    }
    this.#waiting.push(item);
    this.#weight += weight;
    if (!this.#gathering) {
      this.#commit();
      void this.#gather(this.#options.turn);
    } else if (this.#weight >= ENOUGH.weight || this.#waiting.length >= ENOUGH.items) {
      // Enough to be worth its rows and its flush: waiting longer would only leave the processor idle.
      this.#commit();
    }
  }

  async #gather(wait: () => Promise<void>): Promise<void> {
    this.#gathering = true;
    this.#gathered = 0;
    await wait();
    const crowd = this.#gathered + this.#waiting.length > 1;
    this.#gathering = false;
    if (crowd && wait === this.#options.turn) return this.#gather(this.#options.pause);
    if (this.#waiting.length > 0) this.#commit();
    if (crowd) await this.#gather(this.#options.pause);
  }

  #commit(): void {
    const group = this.#waiting;
    this.#waiting = [];
    this.#weight = 0;
    this.#gathered += group.length;
    this.#options.commit(group);
  }
}
