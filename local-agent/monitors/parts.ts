/** A part of a monitor that could not be measured. The edge shows it with its reason; the other parts are measured. */
export interface FailedPart {
  /** What was to be measured: `disk:/data`. */
  readonly part: string;
  readonly reason: string;
}

export interface Measured<T> {
  readonly values: readonly { readonly part: string; readonly value: T }[];
  readonly failed: readonly FailedPart[];
}

/** Limits of one answer to the edge. */
const MAX_FAILED = 64;
const MAX_PART = 320;
const MAX_REASON = 200;

/**
 * Measures the parts of a monitor, each for itself: a part that fails or does not answer is named with its reason, and
 * hides no other. A part that hangs, as a file system whose server is gone does, is not asked a second time meanwhile.
 */
export class Parts {
  readonly #limitMs: number;
  readonly #running = new Set<string>();

  /** @param limitMs - of one part */
  constructor(limitMs: number) {
    this.#limitMs = limitMs;
  }

  async measure<T>(parts: readonly (readonly [part: string, read: () => T | Promise<T>])[]): Promise<Measured<T>> {
    const values: { part: string; value: T }[] = [];
    const failed: FailedPart[] = [];
    const outcomes = await Promise.allSettled(parts.map(([part, read]) => this.#limited(part, read)));
    outcomes.forEach((outcome, place) => {
      const part = parts[place]?.[0] ?? "";
      if (outcome.status === "fulfilled") values.push({ part, value: outcome.value });
      else failed.push({ part: part.slice(0, MAX_PART), reason: reasonOf(outcome.reason) });
    });
    return { values, failed: failed.slice(0, MAX_FAILED) };
  }

  async #limited<T>(part: string, read: () => T | Promise<T>): Promise<T> {
    if (this.#running.has(part)) throw new Error("it has not answered since an earlier request");
    this.#running.add(part);
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(new Error(`it did not answer within ${this.#limitMs / 1_000} s`)), this.#limitMs);
    });
    const work = Promise.resolve()
      .then(read)
      .finally(() => this.#running.delete(part));
    return Promise.race([work, late]).finally(() => clearTimeout(timer));
  }
}

function reasonOf(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).slice(0, MAX_REASON);
}
