import { LogHistogram } from "../../numbers/log-histogram.ts";
import type { HistoryPoint } from "../api.ts";

/** A point as it is stored: count, sum, smallest, largest, then the histogram's pairs. */
export type StoredPoint = readonly [count: number, sum: number, min: number, max: number, ...histogram: number[]];

/** Summary of the numbers of one step of time. Two summaries merge into the summary of all their numbers. */
export class Summary {
  #sum = 0;
  #min = Number.POSITIVE_INFINITY;
  #max = Number.NEGATIVE_INFINITY;
  #histogram = new LogHistogram();

  add(value: number): void {
    this.#sum += value;
    this.#min = Math.min(this.#min, value);
    this.#max = Math.max(this.#max, value);
    this.#histogram.add(value);
  }

  merge([, sum, min, max, ...histogram]: StoredPoint): void {
    this.#sum += sum;
    this.#min = Math.min(this.#min, min);
    this.#max = Math.max(this.#max, max);
    this.#histogram.merge(LogHistogram.decode(histogram));
  }

  get count(): number {
    return this.#histogram.count;
  }

  store(): StoredPoint {
    return [this.#histogram.count, this.#sum, this.#min, this.#max, ...this.#histogram.encode()];
  }

  point(startMs: number): HistoryPoint {
    const { count } = this.#histogram;
    // A quantile of the histogram may lie up to 1 % outside of the measured range: it is clamped to it.
    const between = (value: number) => tidy(Math.min(this.#max, Math.max(this.#min, value)));
    return {
      ts: new Date(startMs).toISOString(),
      count,
      mean: tidy(this.#sum / count),
      min: this.#min,
      max: this.#max,
      p50: between(this.#histogram.quantile(0.5)),
      p95: between(this.#histogram.quantile(0.95)),
    };
  }
}

const tidy = (value: number) => Number(value.toPrecision(6));
