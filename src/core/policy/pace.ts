/** Work of one request whose size depends on what it asks for. Steps are those of work-budget.ts. */
export interface PaceOptions {
  /** Steps of the whole work. */
  readonly steps: number;
  /** Steps without a pause. */
  readonly stretch: number;
  /** Lets others work. Throws where nobody waits for the result any more. */
  readonly pause: () => Promise<void>;
}

/** Divides work into stretches, so that others get their turn, and ends it where it takes too many steps. */
export class Pace {
  readonly #options: PaceOptions;
  #spent = 0;
  #pausedAt = 0;

  constructor(options: PaceOptions) {
    this.#options = options;
  }

  get exhausted(): boolean {
    return this.#spent >= this.#options.steps;
  }

  async spend(steps: number): Promise<void> {
    this.#spent += steps;
    if (this.#spent - this.#pausedAt < this.#options.stretch) return;
    this.#pausedAt = this.#spent;
    await this.#options.pause();
  }
}
