import type { AppendOutcome, AppendRequest, Overloaded } from "./log-api.ts";

interface Waiting {
  readonly request: AppendRequest;
  readonly answer: (outcome: AppendOutcome) => void;
}

export interface GroupCommitOptions {
  /** Writes a group in one transaction. Answers each request in its order, or refuses all of them. */
  readonly commit: (requests: readonly AppendRequest[]) => readonly AppendOutcome[];
  /** Resolves when everything written so far is on the disk. */
  readonly flushed: () => Promise<void>;
  /** Waiting signals beyond which new ones are refused. Default 50,000. */
  readonly capacity?: number;
}

/**
 * Commits appends in groups: while one group is on its way to the disk the next one gathers, so that the number of
 * flushes adapts by itself. A lone append is committed at once; sixty-four at the same time share one row and one
 * flush.
 */
export class GroupCommit {
  readonly #options: Required<GroupCommitOptions>;
  #waiting: Waiting[] = [];
  #signals = 0;
  #flushing = false;

  constructor(options: GroupCommitOptions) {
    this.#options = { capacity: 50_000, ...options };
  }

  /** @param answer - called once, in the order of the calls, in the turn in which the group was written */
  add(request: AppendRequest, answer: (outcome: AppendOutcome) => void): void {
    if (this.#signals + request.signals.length > this.#options.capacity) {
      answer(overloaded("more signals are waiting to be written than the log may hold", 250));
      return;
    }
    this.#waiting.push({ request, answer });
    this.#signals += request.signals.length;
    if (!this.#flushing) this.#commit();
  }

  #commit(): void {
    const group = this.#waiting;
    this.#waiting = [];
    this.#signals = 0;
    this.#flushing = true;
    const outcomes = this.#options.commit(group.map(({ request }) => request));
    group.forEach(({ answer }, place) => {
      const outcome = outcomes[place];
      if (outcome !== undefined) answer(outcome);
    });
    const next = () => {
      this.#flushing = false;
      if (this.#waiting.length > 0) this.#commit();
    };
    // A flush that fails resets the object: whoever waits gets no answer and sends again, which is safe.
    this.#options.flushed().then(next, next);
  }
}

export function overloaded(detail: string, retryAfterMs: number): Overloaded {
  return { overloaded: true, retry_after_ms: retryAfterMs, detail };
}
