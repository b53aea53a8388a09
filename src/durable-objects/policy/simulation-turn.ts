/** A simulation that does not ask again for so long has ended without a word: its caller left. */
const HOLD_MS = 5_000;

/** Whether a simulation may go on. */
export type SimulationTurnAnswer =
  | { readonly granted: true }
  | { readonly granted: false; readonly retryAfterMs: number };

/**
 * One simulation at a time. Kept in memory alone: where the object restarts meanwhile, two may run side by side for a
 * moment, and each is bounded.
 */
export class SimulationTurn {
  #holder: string | undefined;
  #untilMs = 0;

  /** Takes the turn, or keeps it. */
  take(simulation: string, nowMs: number): SimulationTurnAnswer {
    if (this.#holder !== undefined && this.#holder !== simulation && nowMs < this.#untilMs) {
      return { granted: false, retryAfterMs: this.#untilMs - nowMs };
    }
    this.#holder = simulation;
    this.#untilMs = nowMs + HOLD_MS;
    return { granted: true };
  }

  end(simulation: string): void {
    if (this.#holder === simulation) this.#holder = undefined;
  }
}
