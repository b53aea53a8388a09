/**
 * Mean of a set of numbers that come and go. Compensated summation (Neumaier, "Rundungsfehleranalyse einiger
 * Verfahren zur Summation endlicher Summen", ZAMM 54, 1974) keeps it exact enough over months of adding and taking away, and an
 * empty set starts again from nothing.
 */
export class RunningMean {
  #count = 0;
  #sum = 0;
  #lost = 0;

  get count(): number {
    return this.#count;
  }

  /**
   * `NaN` while there is nothing. To twelve digits: what was added and taken away again may leave its trace in the last
   * ones, and a verdict must not depend on it.
   */
  get mean(): number {
    return this.#count === 0 ? Number.NaN : Number(((this.#sum + this.#lost) / this.#count).toPrecision(12));
  }

  add(value: number): void {
    this.#count++;
    this.#accumulate(value);
  }

  remove(value: number): void {
    this.#count--;
    if (this.#count === 0) {
      this.#sum = 0;
      this.#lost = 0;
    } else this.#accumulate(-value);
  }

  #accumulate(value: number): void {
    const sum = this.#sum + value;
    this.#lost += Math.abs(this.#sum) >= Math.abs(value) ? this.#sum - sum + value : value - sum + this.#sum;
    this.#sum = sum;
  }
}
