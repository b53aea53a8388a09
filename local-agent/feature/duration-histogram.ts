import { Histogram } from "prom-client";
import { DURATION_SECONDS } from "../../src/core/numbers/bucket-counts.ts";
import type { Registrar } from "./registrar.ts";

/** A histogram of times, with the buckets of the edge's own. @param name - ends in `_seconds` */
export function durationHistogram<Label extends string>(
  { metrics }: Pick<Registrar, "metrics">,
  name: string,
  help: string,
  labels: readonly Label[],
): (values: Readonly<Record<Label, string>>, ms: number) => void {
  const histogram = new Histogram({
    name,
    help,
    labelNames: [...labels],
    buckets: [...DURATION_SECONDS],
    registers: [metrics],
  });
  // A clock that was set back meanwhile must not make the sum smaller.
  return (values, ms) => histogram.observe(values, Math.max(0, ms) / 1_000);
}
