/** From here on not every whole number is a double. */
const FIRST_INEXACT = 2 ** 53;
/** Below it doubles lose digits, and at last become zero. */
const LEAST_NORMAL = 2 ** -1022;
/** A program that prints doubles with 17 digits (`%.17g`) writes an exponent from here on. */
const FIRST_WITH_EXPONENT = 1e17;
const ENOUGH_DIGITS = 17;

/**
 * Whether a double holds the number that a JSON text says: what is written from the double again is the same number.
 *
 * Whole numbers beyond 2^53 must come back digit for digit, because they are identities more often than amounts. A
 * fraction is an amount: the nearest double is what every JSON reader makes of it. What overflows, and what would vanish
 * in zero, is not held.
 */
export function isHeldByDouble(text: string): boolean {
  const value = Number(text);
  const size = Math.abs(value);
  if (size >= LEAST_NORMAL && size < FIRST_INEXACT) return true;
  if (size === 0) return !/^[^eE]*[1-9]/.test(text);
  if (size === Number.POSITIVE_INFINITY) return false;
  const said = decimalOf(text);
  if (sameDecimal(said, decimalOf(String(value)))) return true;
  if (size < LEAST_NORMAL || !/[.eE]/.test(text)) return false;
  const { digits, exponent } = said;
  if (size >= FIRST_WITH_EXPONENT && /[eE]/.test(text) && digits.length <= ENOUGH_DIGITS) return true;
  // All digits of a double, as `%f` prints them. 400 digits are more than any has before its point.
  return exponent >= 0 && digits.length + exponent < 400 && BigInt(digits + "0".repeat(exponent)) === BigInt(size);
}

interface Decimal {
  /** Significant digits: no zero at either end. */
  readonly digits: string;
  /** Power of ten of the last digit. */
  readonly exponent: number;
}

/** @param text - a number as JSON or JavaScript writes it, not zero; its sign is left out */
function decimalOf(text: string): Decimal {
  const [mantissa = "", power = "0"] = text.split(/[eE]/);
  const point = mantissa.indexOf(".");
  const all = mantissa.replace(/[-.]/g, "");
  let from = 0;
  while (all[from] === "0") from++;
  let to = all.length;
  while (all[to - 1] === "0") to--;
  const decimals = point === -1 ? 0 : mantissa.length - point - 1;
  return { digits: all.slice(from, to), exponent: Number(power) - decimals + all.length - to };
}

function sameDecimal(one: Decimal, other: Decimal): boolean {
  return one.exponent === other.exponent && one.digits === other.digits;
}
