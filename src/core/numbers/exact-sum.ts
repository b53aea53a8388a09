/**
 * The exact sum of finite numbers that are added and removed. The sum is kept as a few numbers that do not overlap and
 * add up to it exactly, so that a number that was removed again leaves no trace and the order does not matter. Mostly
 * there are two or three such numbers; forty hold any sum.
 *
 * @see Shewchuk, "Adaptive Precision Floating-Point Arithmetic and Fast Robust Geometric Predicates", Discrete &
 * Computational Geometry 18 (1997), grow-expansion; the rounding at the end is that of Python's `math.fsum`
 */
export class ExactSum {
  /** From the smallest to the largest. */
  readonly #parts: number[] = [];

  add(value: number): void {
    const parts = this.#parts;
    let carried = value;
    let length = 0;
    for (const part of parts) {
      const [large, small] = Math.abs(carried) >= Math.abs(part) ? [carried, part] : [part, carried];
      const sum = large + small;
      const lost = small - (sum - large);
      if (lost !== 0) parts[length++] = lost;
      carried = sum;
    }
    parts.length = length;
    if (carried !== 0) parts.push(carried);
  }

  /** Removes a number that was added before. */
  remove(value: number): void {
    this.add(-value);
  }

  /** The number nearest to the sum. */
  get value(): number {
    const parts = this.#parts;
    let place = parts.length - 1;
    let sum = parts[place] ?? 0;
    let lost = 0;
    while (place > 0 && lost === 0) {
      const before = sum;
      const part = parts[--place] ?? 0;
      sum = before + part;
      lost = part - (sum - before);
    }
    // The sum so far lies in the middle between two numbers: the next part decides in which direction it is rounded.
    const next = parts[place - 1] ?? 0;
    if ((lost < 0 && next < 0) || (lost > 0 && next > 0)) {
      const further = sum + 2 * lost;
      if (further - sum === 2 * lost) return further;
    }
    return sum;
  }
}
