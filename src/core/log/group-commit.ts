import type { AppendOutcome, AppendRequest, Overloaded } from "./log-api.ts";

interface Waiting {
  readonly request: AppendRequest;
  readonly answer: (outcome: AppendOutcome) => void;
}

export interface GroupCommitOptions {
  /** Writes a group in one transaction. Answers each request in its order, or refuses all of them. */
  readonly commit: (requests: readonly AppendRequest[]) => readonly AppendOutcome[];
  /** How long a group gathers in a crowd; about a millisecond. */
  readonly pause: () => Promise<void>;
  /** Waiting signals beyond which new ones are refused. Default 50,000. */
  readonly capacity?: number;
}

/** Commits within one millisecond from which on the next appends are made to wait for each other. */
const CROWD = 3;

/** Signals, or appends, at which a group waits for no more. */
const ENOUGH = { signals: 256, appends: 40 } as const;

/**
 * Commits appends in groups. A lone append is committed at once, and so are its successors while each waits for the
 * answer to the one before. When they come faster than that, the next group gathers for a moment: sixty-four at the
 * same time share one row and one flush. It stays so until a moment that brings no more than one shows that the crowd
 * has gone.
 */
export class GroupCommit {
  readonly #options: Required<GroupCommitOptions>;
  #waiting: Waiting[] = [];
  #signals = 0;
  #gathering = false;
  /** Appends committed since gathering began. */
  #gathered = 0;
  #commits = 0;
  #millisecond = 0;

  constructor(options: GroupCommitOptions) {
    this.#options = { capacity: 50_000, ...options };
  }

  /** @param answer - called once, in the order of the calls, in the turn in which the group was written */
  add(request: AppendRequest, answer: (outcome: AppendOutcome) => void, nowMs: number): void {
    if (this.#signals + request.signals.length > this.#options.capacity) {
      answer(overloaded("more signals are waiting to be written than the log may hold", 250));
      return;
    }
    this.#waiting.push({ request, answer });
    this.#signals += request.signals.length;
    if (this.#gathering) {
      // Enough to be worth its row and its flush: waiting longer would only leave the processor idle.
      if (this.#signals >= ENOUGH.signals || this.#waiting.length >= ENOUGH.appends) this.#commit();
      return;
    }
    if (nowMs !== this.#millisecond) this.#commits = 0;
    this.#millisecond = nowMs;
    this.#commits++;
    this.#commit();
    if (this.#commits >= CROWD) this.#gather();
  }

  #gather(): void {
    this.#gathering = true;
    this.#gathered = 0;
    void this.#options.pause().then(() => {
      this.#gathering = false;
      if (this.#waiting.length > 0) this.#commit();
      if (this.#gathered > 1) this.#gather();
    });
  }

  #commit(): void {
    const group = this.#waiting;
    this.#waiting = [];
    this.#signals = 0;
    this.#gathered += group.length;
    const outcomes = this.#options.commit(group.map(({ request }) => request));
    group.forEach(({ answer }, place) => {
      const outcome = outcomes[place];
      if (outcome !== undefined) answer(outcome);
    });
  }
}

export function overloaded(detail: string, retryAfterMs: number): Overloaded {
  return { overloaded: true, retry_after_ms: retryAfterMs, detail };
}
