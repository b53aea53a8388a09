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

/** Commits within one millisecond from which on the next changes are made to wait for each other. */
const CROWD = 3;

/**
 * Groups changes into transactions, as the log groups appends: a lone change is committed at once, and so are its
 * successors while each waits for the answer to the one before. When they come faster than that, the next group
 * gathers for a turn of the event loop and shares one write to the disk, until a group of one shows that the crowd has
 * gone.
 */
export class CommitTurns {
  readonly #options: Required<CommitTurnsOptions>;
  #waiting: Change[] = [];
  #gathering = false;
  #commits = 0;
  #millisecond = 0;

  constructor(options: CommitTurnsOptions) {
    this.#options = { capacity: 20_000, ...options };
  }

  add(change: Change, nowMs: number): void {
    if (this.#waiting.length >= this.#options.capacity) {
      change.refuse();
      return;
    }
    this.#waiting.push(change);
    if (this.#gathering) return;
    if (nowMs !== this.#millisecond) this.#commits = 0;
    this.#millisecond = nowMs;
    this.#commits++;
    this.#commit();
    if (this.#commits >= CROWD) this.#gather();
  }

  #gather(): void {
    this.#gathering = true;
    void this.#options.turn().then(() => {
      this.#gathering = false;
      if (this.#waiting.length === 0) return;
      const crowded = this.#waiting.length > 1;
      this.#commit();
      if (crowded) this.#gather();
    });
  }

  #commit(): void {
    const group = this.#waiting;
    this.#waiting = [];
    this.#options.commit(group);
  }
}
