import type { Moments } from "./difference.ts";
import { RunningMean } from "./running-mean.ts";

/** Mean and variance of numbers that come and go. For numbers of like size, such as logarithms of times. */
export class RunningMoments implements Moments {
  readonly #values = new RunningMean();
  readonly #squares = new RunningMean();

  get count(): number {
    return this.#values.count;
  }

  get mean(): number {
    return this.#values.mean;
  }

  get variance(): number {
    const { count, mean } = this;
    if (count < 2) return Number.NaN;
    return Math.max(0, ((this.#squares.mean - mean ** 2) * count) / (count - 1));
  }

  add(value: number): void {
    this.#values.add(value);
    this.#squares.add(value ** 2);
  }

  remove(value: number): void {
    this.#values.remove(value);
    this.#squares.remove(value ** 2);
  }
}
