import { Spacing } from "../../core/group-commit/spacing.ts";

/** Between two evaluations, in milliseconds. */
const SPACING_MS = 50;

/**
 * Runs the scanners after new observations: at once after a pause, so that a gap follows its evidence without a delay of
 * its own, and otherwise rarely enough that an evaluation covers what came meanwhile.
 */
export class EvaluationTimer {
  readonly #evaluate: (nowMs: number) => void;
  readonly #spacing = new Spacing(SPACING_MS);
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(evaluate: (nowMs: number) => void) {
    this.#evaluate = evaluate;
  }

  /** Something has changed that the scanners see. */
  changed(): void {
    const nowMs = Date.now();
    this.#timer ??= setTimeout(() => this.#run(Date.now()), this.#spacing.dueMs(nowMs) - nowMs);
  }

  #run(nowMs: number): void {
    this.#timer = undefined;
    this.#spacing.happened(nowMs);
    this.#evaluate(nowMs);
  }
}
