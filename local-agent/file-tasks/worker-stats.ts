import type { Ending } from "../base/process/run-command.ts";

/** Why an attempt failed, as a word. */
export type FailureReason = "timeout" | "exit_code" | "killed" | "not_started" | "invalid_task";

/** What the attempts of one file worker came to since the start. */
export class WorkerStats {
  readonly #onAttempt: ((seconds: number) => void) | undefined;
  readonly #reasons = new Map<FailureReason, number>();
  #completed = 0;
  #retried = 0;
  #deadLettered = 0;

  /** @param onAttempt - called with the duration of each attempt that ended */
  constructor(onAttempt?: (seconds: number) => void) {
    this.#onAttempt = onAttempt;
  }

  /** Attempts that succeeded. */
  get completed(): number {
    return this.#completed;
  }

  /** Attempts that failed. */
  get failed(): number {
    return [...this.#reasons.values()].reduce((sum, count) => sum + count, 0);
  }

  get retried(): number {
    return this.#retried;
  }

  get deadLettered(): number {
    return this.#deadLettered;
  }

  get reasons(): ReadonlyMap<FailureReason, number> {
    return this.#reasons;
  }

  attempt(durationMs: number, failure: FailureReason | undefined): void {
    this.#onAttempt?.(durationMs / 1_000);
    if (failure === undefined) this.#completed++;
    else this.#count(failure);
  }

  /** @param attempts - that were made; none for a file that is no task */
  endedInDeadLetter(attempts: number): void {
    this.#deadLettered++;
    if (attempts === 0) this.#count("invalid_task");
  }

  isRetried(): void {
    this.#retried++;
  }

  #count(reason: FailureReason): void {
    this.#reasons.set(reason, (this.#reasons.get(reason) ?? 0) + 1);
  }
}

/** @returns `undefined` for a success */
export function reasonOf(ending: Ending): FailureReason | undefined {
  switch (ending.kind) {
    case "exited":
      return ending.code === 0 ? undefined : "exit_code";
    case "timed_out":
      return "timeout";
    case "not_started":
      return "not_started";
    default:
      return "killed";
  }
}
