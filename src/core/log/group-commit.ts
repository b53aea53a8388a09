import type { AppendOutcome, AppendRequest, Overloaded } from "./log-api.ts";

interface Waiting {
  readonly request: AppendRequest;
  readonly answer: (outcome: AppendOutcome) => void;
}

export interface GroupCommitOptions {
  /** Writes a group in one transaction. Answers each request in its order, or refuses all of them. */
  readonly commit: (requests: readonly AppendRequest[]) => readonly AppendOutcome[];
  /** Resolves when everything that has arrived by now was given to {@link GroupCommit.add}. */
  readonly turn: () => Promise<void>;
  /** Waiting signals beyond which new ones are refused. Default 50,000. */
  readonly capacity?: number;
}

/**
 * Commits appends in groups: after a commit the next group gathers for one turn of the event loop, so that the number
 * of rows and flushes adapts by itself. A lone append is committed at once; sixty-four at the same time share one row
 * and one flush.
 */
export class GroupCommit {
  readonly #options: Required<GroupCommitOptions>;
  #waiting: Waiting[] = [];
  #signals = 0;
  #gathering = false;

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
    if (!this.#gathering) this.#commit();
  }

  #commit(): void {
    const group = this.#waiting;
    this.#waiting = [];
    this.#signals = 0;
    this.#gathering = true;
    const outcomes = this.#options.commit(group.map(({ request }) => request));
    group.forEach(({ answer }, place) => {
      const outcome = outcomes[place];
      if (outcome !== undefined) answer(outcome);
    });
    void this.#options.turn().then(() => {
      this.#gathering = false;
      if (this.#waiting.length > 0) this.#commit();
    });
  }
}

export function overloaded(detail: string, retryAfterMs: number): Overloaded {
  return { overloaded: true, retry_after_ms: retryAfterMs, detail };
}
