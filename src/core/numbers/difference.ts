/**
 * Statistics of the comparative scanner. Each test gives the distance of two groups in standard errors, corrected for small
 * groups; {@link alwaysValidPValue} turns the distance into a p-value that may be looked at repeatedly.
 */

export interface Difference {
  /** Standard errors between the two groups, as a normal deviate; positive where the first group is greater. */
  readonly deviate: number;
  readonly standardError: number;
}

/**
 * Two shares of successes.
 * @see Yates, "Contingency tables involving small numbers and the χ² test", Suppl. J. Royal Statistical Society 1 (1934):
 * the correction for continuity, which keeps the test honest with ten trials a side
 */
export function compareShares(
  a: { readonly successes: number; readonly trials: number },
  b: { readonly successes: number; readonly trials: number },
): Difference {
  const pooled = (a.successes + b.successes) / (a.trials + b.trials);
  const perTrial = 1 / a.trials + 1 / b.trials;
  const standardError = Math.sqrt(pooled * (1 - pooled) * perTrial);
  if (standardError === 0) return { deviate: 0, standardError: 0 };
  const difference = a.successes / a.trials - b.successes / b.trials;
  const corrected = Math.max(0, Math.abs(difference) - perTrial / 2);
  return { deviate: (Math.sign(difference) * corrected) / standardError, standardError };
}

export interface Moments {
  readonly count: number;
  readonly mean: number;
  /** Unbiased. */
  readonly variance: number;
}

/** Times are taken as exact to 1 %: the distance of groups without any variance would otherwise be infinite. */
const SMALLEST_VARIANCE = 0.01 ** 2;

/**
 * Two means of different spread. Used on logarithms of times, which are closer to normal than times are.
 * @see Welch, "The generalization of 'Student's' problem when several different population variances are involved",
 * Biometrika 34 (1947)
 * @see Wallace, "Bounds on normal approximations to Student's and the chi-square distributions", Annals of Mathematical
 * Statistics 30 (1959): from t to the normal deviate of the same probability
 */
export function compareMeans(a: Moments, b: Moments): Difference {
  const varianceA = Math.max(SMALLEST_VARIANCE, a.variance) / a.count;
  const varianceB = Math.max(SMALLEST_VARIANCE, b.variance) / b.count;
  const standardError = Math.sqrt(varianceA + varianceB);
  const t = (a.mean - b.mean) / standardError;
  const freedom = (varianceA + varianceB) ** 2 / (varianceA ** 2 / (a.count - 1) + varianceB ** 2 / (b.count - 1));
  const size = ((8 * freedom + 1) / (8 * freedom + 3)) * Math.sqrt(freedom * Math.log1p(t ** 2 / freedom));
  return { deviate: Math.sign(t) * size, standardError };
}

/**
 * The probability of such a difference by chance, valid however often the test is repeated while samples gather. An
 * ordinary p-value limits false alarms for a single test; repeated after every sample it finds a difference sooner or
 * later.
 *
 * @param spread - standard deviation of the true differences that are expected; it moves power between small and great
 * differences, and leaves the rate of false alarms as it is
 * @see Johari, Koomen, Pekelis, Walsh, "Always Valid Inference: Continuous Monitoring of A/B Tests", Operations Research
 * 70 (2022): the mixture sequential probability ratio test
 */
export function alwaysValidPValue({ deviate, standardError }: Difference, spread: number): number {
  const noise = standardError ** 2;
  if (noise === 0) return 1;
  const prior = spread ** 2;
  const exponent = (prior * deviate ** 2) / (2 * (noise + prior));
  return Math.min(1, Math.sqrt((noise + prior) / noise) * Math.exp(-exponent));
}

/**
 * Which of many comparisons are significant, so that the chance of one false alarm among them all is at most `alpha`.
 * @see Holm, "A simple sequentially rejective multiple test procedure", Scandinavian Journal of Statistics 6 (1979)
 * @returns the largest significant p-value; 0: no comparison is significant
 */
export function holmLimit(pValues: readonly number[], alpha: number): number {
  let limit = 0;
  for (const [place, p] of pValues.toSorted((a, b) => a - b).entries()) {
    if (p > alpha / (pValues.length - place)) break;
    limit = p;
  }
  return limit;
}
