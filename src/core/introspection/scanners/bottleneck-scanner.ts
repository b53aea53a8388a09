import * as z from "zod";
import { LogHistogram } from "../../numbers/log-histogram.ts";
import { RunningMean } from "../../numbers/running-mean.ts";
import type { Sample } from "../window/sample.ts";
import { isAmount, labelOf, rounded, severityOf } from "./facts.ts";
import { GroupMap, SampleGroup } from "./sample-group.ts";
import { type FindingWithCause, type Scanner, scannerKind } from "./scanner.ts";

const Settings = z.strictObject({
  depth_above: z.number().nonnegative().default(100).describe("Mean depth above which a queue builds up"),
  depth_clear: z.number().nonnegative().default(80).describe("The gap is cleared at or below this value"),
  p95_ms_above: z.number().positive().default(1_000).describe("p95 above which an operation is slow, in milliseconds"),
  p95_ms_clear: z.number().positive().default(900).describe("The gap is cleared at or below this value"),
  min_samples: z
    .int()
    .min(1)
    .max(100_000)
    .default(5)
    .describe("Samples of one queue or operation before they are evaluated"),
  min_slow_samples: z
    .int()
    .min(1)
    .max(100_000)
    .default(2)
    .describe("Samples above the limit before an operation is called slow: among few samples, a single one is the p95"),
});
type Settings = z.infer<typeof Settings>;

/** Bottlenecks: queues that build up (`queue_name`, `depth`), operations that are slow (`operation`, `duration_ms`). */
export const bottleneckScanner = scannerKind<Settings>({
  id: "bottleneck",
  category: "bottleneck",
  settings: Settings.refine(({ depth_above: above, depth_clear: clear }) => clear <= above, {
    path: ["depth_clear"],
    message: "give at most depth_above; otherwise a gap would be cleared while it is found",
  }).refine(({ p95_ms_above: above, p95_ms_clear: clear }) => clear <= above, {
    path: ["p95_ms_clear"],
    message: "give at most p95_ms_above; otherwise a gap would be cleared while it is found",
  }),
  open: (settings) => new BottleneckScanner(settings),
});

/**
 * Whether a p95 (nearest rank) is above a limit is decided exactly, by counting: it is, when fewer than 95 % of the
 * samples are at or below the limit. Only the figure that is shown comes from the histogram, to within 1 %.
 */
class BottleneckScanner implements Scanner {
  readonly #settings: Settings;
  readonly #queues = new GroupMap(() => ({ samples: new SampleGroup(), depth: new RunningMean() }));
  readonly #operations = new GroupMap(() => ({
    samples: new SampleGroup(),
    durations: new LogHistogram(),
    aboveLimit: 0,
    aboveClear: 0,
  }));

  constructor(settings: Settings) {
    this.#settings = settings;
  }

  observe(sample: Sample): void {
    const { queue_name, depth, operation, duration_ms: duration } = sample.facts;
    const queue = labelOf(queue_name);
    if (queue !== undefined && isAmount(depth)) this.#queues.observe(queue, sample).depth.add(depth);
    const name = labelOf(operation);
    if (name === undefined || !isAmount(duration)) return;
    const group = this.#operations.observe(name, sample);
    group.durations.add(duration);
    if (duration > this.#settings.p95_ms_above) group.aboveLimit++;
    if (duration > this.#settings.p95_ms_clear) group.aboveClear++;
  }

  forget(sample: Sample): void {
    const { queue_name, depth, operation, duration_ms: duration } = sample.facts;
    const queue = labelOf(queue_name);
    if (queue !== undefined && isAmount(depth)) this.#queues.forget(queue, sample).depth.remove(depth);
    const name = labelOf(operation);
    if (name === undefined || !isAmount(duration)) return;
    const group = this.#operations.forget(name, sample);
    group.durations.remove(duration);
    if (duration > this.#settings.p95_ms_above) group.aboveLimit--;
    if (duration > this.#settings.p95_ms_clear) group.aboveClear--;
  }

  *findings(): Generator<FindingWithCause> {
    yield* this.#buildUps();
    yield* this.#slowOperations();
  }

  *#buildUps(): Generator<FindingWithCause> {
    const { depth_above: above, depth_clear: clear, min_samples } = this.#settings;
    for (const [queue, { samples, depth }] of this.#queues.withSamples(min_samples)) {
      const mean = depth.mean;
      if (mean <= clear) continue;
      yield finding(samples, {
        name: `queue_buildup_${queue}`,
        verdict: mean > above ? "breach" : "hold",
        reason: `The queue ${queue} holds ${rounded(mean)} on average over ${samples.size} samples; the limit is ${above}`,
        // Severity reaches 1 at ten times the limit.
        severity: severityOf(mean, above, above * 10 || 1),
        metric: "depth",
        value: mean,
        threshold: above,
        unit: "items",
      });
    }
  }

  *#slowOperations(): Generator<FindingWithCause> {
    const { p95_ms_above: above, min_samples, min_slow_samples } = this.#settings;
    for (const [operation, { samples, durations, aboveLimit, aboveClear }] of this.#operations.withSamples(
      min_samples,
    )) {
      const exceeds = (count: number) =>
        count >= min_slow_samples && samples.size - count < Math.ceil(0.95 * samples.size - 1e-9);
      if (!exceeds(aboveClear)) continue;
      const p95 = durations.quantile(0.95);
      yield finding(samples, {
        name: `slow_operation_${operation}`,
        verdict: exceeds(aboveLimit) ? "breach" : "hold",
        reason: `${operation} takes ${Math.round(p95)} ms at the 95th percentile of ${samples.size} samples; the limit is ${above} ms`,
        severity: severityOf(p95, above, above * 10),
        metric: "duration_ms_p95",
        value: p95,
        threshold: above,
        unit: "ms",
        details: { p50_ms: rounded(durations.quantile(0.5)), samples_above: aboveLimit },
      });
    }
  }
}

function finding(
  samples: SampleGroup,
  fields: Pick<FindingWithCause, "name" | "verdict" | "reason" | "severity"> &
    Pick<FindingWithCause["evidence"], "metric" | "value" | "threshold" | "unit" | "details">,
): FindingWithCause {
  const { metric, value, threshold, unit, details, ...rest } = fields;
  return {
    ...rest,
    type: "performance",
    category: "bottleneck",
    installCost: 0.5,
    evidence: {
      metric,
      value: rounded(value),
      threshold,
      unit,
      sample_count: samples.size,
      reporters: samples.reporters,
      first_seq: samples.first.seq,
      last_seq: samples.newest.seq,
      ...(details === undefined ? {} : { details }),
    },
    cause: samples.newest,
    parties: samples.parties,
  };
}
