import * as z from "zod";
import { formatTimestamp } from "../../signals/timestamp.ts";
import { Timestamp } from "../../signals/timestamp-schema.ts";
import { Gap } from "../api.ts";
import { contextUse } from "../scanners/context-scanner.ts";
import { isAmount, isPercent } from "../scanners/facts.ts";
import type { Sample } from "../window/sample.ts";

/** Samples in one answer, the newest. */
const MAX_SAMPLES = 1_000;

/** What a gap rests on, sample by sample, as far as the samples are still in the window. */
export const GapEvidence = z.object({
  gap: Gap.meta({ description: "The gap" }),
  metric: z.string().meta({ description: "What was measured", example: "cpu_percent" }),
  unit: z.string().nullable().meta({ description: "Unit of the values", example: "percent" }),
  raise: z.number().nullable().meta({ description: "Threshold beyond which the gap is raised; null: it is no number" }),
  clear: z.number().nullable().meta({
    description: "Threshold at which the gap is resolved; null: there is none beside `raise`",
  }),
  worse: z
    .enum(["above", "below"])
    .nullable()
    .meta({ description: "On which side of the thresholds the trouble lies; null: the metric is not known" }),
  samples: z
    .array(
      z.object({
        at: Timestamp.meta({ description: "When it was measured" }),
        value: z.number().meta({ description: "What was measured" }),
        reporter: z.string().meta({ description: "Who measured" }),
        seq: z.int().meta({ description: "Sequence number of the signal that carried it" }),
      }),
    )
    .readonly()
    .meta({ description: `In the order of time, the newest ${MAX_SAMPLES}` }),
  left_out: z.int().nonnegative().meta({ description: "Older samples of the window beyond those" }),
  window_seconds: z.number().meta({ description: "Length of the window: what is older is not kept as samples" }),
});
export type GapEvidence = Readonly<z.infer<typeof GapEvidence>>;

type ScannerValues = Readonly<Record<string, number>>;

interface Metric {
  readonly scanner: string;
  readonly worse: "above" | "below";
  /** Names of the scanner's settings. `null`: the threshold of the evidence counts, and there is no other. */
  readonly raise: string | null;
  readonly clear: string | null;
  /** The value of a sample on which a gap of this name rests; `undefined`: it is no part of the evidence. */
  readonly valueOf: (sample: Sample, gap: Gap, settings: ScannerValues) => unknown;
}

/** A gap of one reporter is named `<kind>_<reporter>`, and one of a group `<kind>_<label>`. */
const after = ({ name }: Gap, kind: string) => (name.startsWith(kind) ? name.slice(kind.length) : undefined);
const ofReporter =
  (kind: string, value: (sample: Sample, settings: ScannerValues) => unknown): Metric["valueOf"] =>
  (sample, gap, settings) =>
    sample.reporter === after(gap, kind) ? value(sample, settings) : undefined;
const ofLabel =
  (kind: string, label: string, value: string): Metric["valueOf"] =>
  ({ facts }, gap) =>
    facts[label] === after(gap, kind) ? facts[value] : undefined;

const partOf = ({ recent_part_percent = 20 }: ScannerValues) => recent_part_percent;

/** How each scanner reads its samples: the same facts as in the file of the scanner, by the metric of its evidence. */
const METRICS: Readonly<Record<string, Metric>> = {
  cpu_percent: {
    scanner: "resource_utilization",
    worse: "above",
    raise: "cpu_percent_above",
    clear: "cpu_percent_clear",
    valueOf: ofReporter("cpu_bottleneck_", ({ facts }) => percentOf(facts.cpu_percent)),
  },
  gpu_utilization: {
    scanner: "resource_utilization",
    worse: "below",
    raise: "gpu_percent_below",
    clear: "gpu_percent_clear",
    valueOf: ofReporter("low_gpu_utilization_", ({ facts }) => percentOf(facts.gpu_utilization)),
  },
  tokens_per_sec: {
    scanner: "inference_performance",
    worse: "below",
    raise: "tokens_per_sec_below",
    clear: "tokens_per_sec_clear",
    valueOf: ofLabel("slow_inference_", "task_type", "tokens_per_sec"),
  },
  depth: {
    scanner: "bottleneck",
    worse: "above",
    raise: "depth_above",
    clear: "depth_clear",
    valueOf: ofLabel("queue_buildup_", "queue_name", "depth"),
  },
  duration_ms_p95: {
    scanner: "bottleneck",
    worse: "above",
    raise: "p95_ms_above",
    clear: "p95_ms_clear",
    valueOf: ofLabel("slow_operation_", "operation", "duration_ms"),
  },
  highest_reference: {
    scanner: "context_utilization",
    worse: "below",
    raise: "reach_percent_below",
    clear: "reach_percent_clear",
    valueOf: ofReporter("unused_context_tail_", (sample, settings) => contextUse(sample, partOf(settings))?.reach),
  },
  recent_references: {
    scanner: "context_utilization",
    worse: "above",
    raise: "recent_percent_above",
    clear: "recent_percent_clear",
    valueOf: ofReporter("recency_bias_", (sample, settings) => recentOf(sample, partOf(settings))),
  },
  success_rate: {
    scanner: "comparative_analysis",
    worse: "below",
    raise: null,
    clear: null,
    valueOf: (sample, gap) => (isOfWorse(sample, gap) ? (sample.ok ? 100 : 0) : undefined),
  },
  ttr_ms: {
    scanner: "comparative_analysis",
    worse: "above",
    raise: null,
    clear: null,
    valueOf: (sample, gap) => (isOfWorse(sample, gap) ? sample.ttrMs : undefined),
  },
};

/**
 * The samples in the window on which a gap rests, with both thresholds, so that a reader sees how near it is to its end.
 *
 * @param settings - of a scanner, by its id
 */
export function gapEvidence(
  gap: Gap,
  samples: readonly Sample[],
  settings: (scanner: string) => Readonly<Record<string, unknown>> | undefined,
  windowSeconds: number,
): GapEvidence {
  const { metric, unit, threshold } = gap.metadata;
  const name = typeof metric === "string" ? metric : "";
  const known = Object.hasOwn(METRICS, name) ? METRICS[name] : undefined;
  const values = numbersOf(known === undefined ? undefined : settings(known.scanner));
  const found = samples.flatMap((sample) => {
    const value = known?.valueOf(sample, gap, values);
    if (!isAmount(value)) return [];
    return [{ at: formatTimestamp(sample.tsMs), value, reporter: sample.reporter, seq: sample.seq }];
  });
  const raise = known?.raise == null ? undefined : values[known.raise];
  const clear = known?.clear == null ? undefined : values[known.clear];
  return {
    gap,
    metric: name,
    unit: typeof unit === "string" ? unit : null,
    raise: raise ?? (typeof threshold === "number" ? threshold : null),
    clear: clear ?? null,
    worse: known?.worse ?? null,
    samples: found.slice(-MAX_SAMPLES),
    left_out: Math.max(0, found.length - MAX_SAMPLES),
    window_seconds: windowSeconds,
  };
}

const numbersOf = (settings: Readonly<Record<string, unknown>> = {}): ScannerValues =>
  Object.fromEntries(
    Object.entries(settings).filter((entry): entry is [string, number] => typeof entry[1] === "number"),
  );

const percentOf = (value: unknown) => (isPercent(value) ? value : undefined);

/** Share of the references in the last part of the context, in percent. */
function recentOf(sample: Sample, part: number): number | undefined {
  const use = contextUse(sample, part);
  return use === undefined ? undefined : (use.recent / use.references) * 100;
}

/** Whether a sample is of the variant that does worse, in the niche of the comparison. */
function isOfWorse({ niche, facts }: Sample, { metadata }: Gap): boolean {
  const { details } = metadata;
  if (typeof details !== "object" || details === null) return false;
  const { niche: compared, kind, worse } = details as Readonly<Record<string, unknown>>;
  return niche === compared && typeof kind === "string" && facts[kind] === worse;
}
