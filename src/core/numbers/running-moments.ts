import type { Moments } from "./difference.ts";
import { ExactSum } from "./exact-sum.ts";

/** Mean and variance of numbers that are added and removed. For numbers of similar size, such as logarithms of times. */
export class RunningMoments implements Moments {
  readonly #sum = new ExactSum();
  readonly #squares = new ExactSum();
  #count = 0;

  get count(): number {
    return this.#count;
  }

  /** `NaN` while empty. */
  get mean(): number {
    return this.#count === 0 ? Number.NaN : this.#sum.value / this.#count;
  }

  /** Unbiased; `NaN` for fewer than two. */
  get variance(): number {
    if (this.#count < 2) return Number.NaN;
    const sum = this.#sum.value;
    return Math.max(0, (this.#squares.value - sum ** 2 / this.#count) / (this.#count - 1));
  }

  add(value: number): void {
    this.#count++;
    this.#sum.add(value);
    this.#squares.add(value ** 2);
  }

  remove(value: number): void {
    this.#count--;
    this.#sum.remove(value);
    this.#squares.remove(value ** 2);
  }
}
