import * as z from "zod";

/** Bounds for times, in seconds: a task may take milliseconds or hours. */
export const DURATION_SECONDS = [0.01, 0.05, 0.1, 0.5, 1, 5, 10, 30, 60, 300, 900, 3_600, 21_600] as const;

/** Counts of a histogram as they are stored and sent. */
export const Buckets = z.object({
  /** How many numbers fell into each bucket; the last one has those above every bound. */
  counts: z.array(z.number()).readonly(),
  sum: z.number(),
});
export type Buckets = Readonly<z.infer<typeof Buckets>>;

/** Counts numbers by fixed bounds. The counts only ever grow, as those of a histogram of Prometheus must. */
export class BucketCounts {
  readonly #bounds: readonly number[];
  readonly #counts: number[];
  #sum = 0;

  /** @param stored - counts by other bounds cannot be continued, and are left out */
  constructor(bounds: readonly number[], stored?: Buckets) {
    this.#bounds = bounds;
    this.#counts = Array.from({ length: bounds.length + 1 }, () => 0);
    if (stored !== undefined) this.merge(stored);
  }

  add(value: number): void {
    const above = this.#bounds.findIndex((bound) => value <= bound);
    const place = above === -1 ? this.#bounds.length : above;
    this.#counts[place] = (this.#counts[place] ?? 0) + 1;
    this.#sum += value;
  }

  merge({ counts, sum }: Buckets): void {
    if (counts.length !== this.#counts.length) return;
    counts.forEach((count, place) => {
      this.#counts[place] = (this.#counts[place] ?? 0) + count;
    });
    this.#sum += sum;
  }

  toJSON(): Buckets {
    return { counts: [...this.#counts], sum: this.#sum };
  }
}
