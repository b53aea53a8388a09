import { ExactSum } from "./exact-sum.ts";

/** Mean of numbers that are added and removed: it depends only on the numbers now inside. */
export class RunningMean {
  readonly #sum = new ExactSum();
  #count = 0;

  get count(): number {
    return this.#count;
  }

  /** `NaN` while empty. To twelve digits, so that the mean of equal numbers is that number. */
  get mean(): number {
    return this.#count === 0 ? Number.NaN : Number((this.#sum.value / this.#count).toPrecision(12));
  }

  add(value: number): void {
    this.#count++;
    this.#sum.add(value);
  }

  remove(value: number): void {
    this.#count--;
    this.#sum.remove(value);
  }
}
