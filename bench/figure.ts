/** One figure: a JSON line on standard output. Machines read it, people compare it. */
export interface Figure {
  readonly bench: string;
  readonly figure: string;
  readonly value: number;
  readonly unit: string;
  /** What the issue or row asks for: `>=` for throughput, `<=` for latency and price. */
  readonly target?: { readonly at_least?: number; readonly at_most?: number };
  /** Figures of the same run that give it a meaning. */
  readonly compared_with?: Record<string, number>;
  readonly [detail: string]: unknown;
}

export type Report = (figure: Figure) => void;

export function report(figure: Figure, output: { write(text: string): unknown } = process.stdout): void {
  const { target, value } = figure;
  const met =
    target === undefined
      ? {}
      : { met: value >= (target.at_least ?? -Infinity) && value <= (target.at_most ?? Infinity) };
  output.write(`${JSON.stringify({ ...figure, ...met })}\n`);
}

/** @param share - 0 to 1 */
export function percentile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}

export function rounded(value: number, digits = 3): number {
  return Number(value.toPrecision(digits));
}
