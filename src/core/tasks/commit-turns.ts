/** A change that waits to be made. */
export interface Change {
  /** Makes the change, in the transaction. @returns what to do once it is written: answering */
  readonly make: (nowMs: number) => () => void;
  /** The transaction failed, or too much is waiting: nothing of the change was kept. */
  readonly refuse: () => void;
}

export interface CommitTurnsOptions {
  /** Makes a group of changes in one transaction and answers them. Does not throw. */
  readonly commit: (changes: readonly Change[]) => void;
  /** Resolves when everything that has arrived by now was given to {@link CommitTurns.add}. */
  readonly turn: () => Promise<void>;
  /** Waiting changes beyond which new ones are refused. Default 20,000. */
  readonly capacity?: number;
}

/** Turns that a group stays open at most. */
const MAX_TURNS = 16;

/**
 * Groups changes into transactions. A lone change is committed at once. After each commit the next changes gather: for
 * a turn of the event loop, and on while more keep coming, so that a crowd shares one write to the disk. Where each
 * caller waits for its answer before it sends again, nothing comes in that turn, and nobody is kept waiting.
 *
 * The log knows a crowd by how many commits fit into a millisecond. A commit here may write many rows: a crowd may not
 * get three of them done in that time, and would never be known.
 */
export class CommitTurns {
  readonly #options: Required<CommitTurnsOptions>;
  #waiting: Change[] = [];
  #gathering = false;

  constructor(options: CommitTurnsOptions) {
    this.#options = { capacity: 20_000, ...options };
  }

  add(change: Change): void {
    if (this.#waiting.length >= this.#options.capacity) {
      change.refuse();
      return;
    }
    this.#waiting.push(change);
    if (this.#gathering) return;
    this.#commit();
    this.#gather();
  }

  #gather(turns = 0, before = 0): void {
    this.#gathering = true;
    void this.#options.turn().then(() => {
      // While more keeps coming the group stays open: a write to the disk costs more than several turns.
      const { length } = this.#waiting;
      if (length > before && length > 1 && turns < MAX_TURNS) {
        this.#gather(turns + 1, length);
        return;
      }
      this.#gathering = false;
      if (length === 0) return;
      this.#commit();
      this.#gather();
    });
  }

  #commit(): void {
    const group = this.#waiting;
    this.#waiting = [];
    this.#options.commit(group);
  }
}
