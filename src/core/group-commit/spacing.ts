/** When something may happen that costs: at once after a pause, and otherwise a fixed time after it last happened. */
export class Spacing {
  readonly #spacingMs: number;
  #lastMs = Number.NEGATIVE_INFINITY;

  constructor(spacingMs: number) {
    this.#spacingMs = spacingMs;
  }

  /** When it may happen next; `nowMs`: now. A clock that was set back makes nothing wait for longer. */
  dueMs(nowMs: number): number {
    return Math.max(nowMs, Math.min(this.#lastMs, nowMs) + this.#spacingMs);
  }

  happened(nowMs: number): void {
    this.#lastMs = nowMs;
  }
}
