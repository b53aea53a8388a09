import { doubled } from "../../src/core/numbers/doubled.ts";

interface Failure {
  readonly count: number;
  readonly reason: string;
  readonly dueMs: number;
}

export interface BackOffOptions {
  /** Pause after the first failure; it doubles with each further one, up to `maxMs`. */
  readonly initialMs: number;
  readonly maxMs: number;
  /** Called when an item failed for another reason than before: only then is it worth a line of the log. */
  readonly onNewReason: (item: string, error: Error, pauseMs: number) => void;
  /** Milliseconds of a monotonic clock; default `performance.now`. */
  readonly nowMs?: () => number;
}

/** How long an item that has failed is known after its next attempt was due: it may be gone. */
const KEPT_MS = 600_000;

/** Items whose handling failed and may succeed later. Each waits longer after every failure in a row. */
export class BackOff {
  readonly #options: BackOffOptions;
  readonly #nowMs: () => number;
  readonly #failures = new Map<string, Failure>();
  #prunedMs = 0;

  constructor(options: BackOffOptions) {
    this.#options = options;
    this.#nowMs = options.nowMs ?? (() => performance.now());
  }

  /** Whether the item still has to wait. */
  waits(item: string): boolean {
    const failure = this.#failures.get(item);
    return failure !== undefined && failure.dueMs > this.#nowMs();
  }

  /** Notes a failure. @returns the pause until the next attempt */
  failed(item: string, error: unknown): number {
    const { initialMs, maxMs, onNewReason } = this.#options;
    const failure = error instanceof Error ? error : new Error(String(error));
    this.#forgetOld();
    const before = this.#failures.get(item);
    const count = (before?.count ?? 0) + 1;
    const pauseMs = doubled(initialMs, maxMs, count - 1);
    this.#failures.set(item, { count, reason: failure.message, dueMs: this.#nowMs() + pauseMs });
    if (before?.reason !== failure.message) onNewReason(item, failure, pauseMs);
    return pauseMs;
  }

  succeeded(item: string): void {
    this.#failures.delete(item);
  }

  clear(): void {
    this.#failures.clear();
  }

  #forgetOld(): void {
    const nowMs = this.#nowMs();
    // Seldom: on a full disk, every file of a large directory fails.
    if (nowMs - this.#prunedMs < KEPT_MS / 10) return;
    this.#prunedMs = nowMs;
    const before = nowMs - KEPT_MS;
    for (const [item, { dueMs }] of this.#failures) if (dueMs < before) this.#failures.delete(item);
  }
}
