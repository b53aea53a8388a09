import type { Buckets } from "../numbers/bucket-counts.ts";
import type { Family } from "./families.ts";
import type { MetricsFormat } from "./format.ts";
import type { LabelledSample, SampleSet } from "./sample-set.ts";

/**
 * The text of a scrape, a piece for each family.
 *
 * @see https://prometheus.io/docs/instrumenting/exposition_formats/
 * @see https://github.com/prometheus/OpenMetrics/blob/main/specification/OpenMetrics.md
 */
export function* exposition(set: SampleSet, format: MetricsFormat): Generator<string> {
  for (const [family, samples] of set.families()) {
    const lines = [...header(family, format)];
    for (const sample of samples) lines.push(...linesOf(family, sample));
    yield `${lines.join("\n")}\n`;
  }
  if (format === "openmetrics") yield "# EOF\n";
}

/** OpenMetrics names a counter without `_total`, and the older format as its samples are named. */
function* header({ name, type, unit, help }: Family, format: MetricsFormat): Generator<string> {
  const open = format === "openmetrics";
  const shown = open ? name : sampleName(name, type);
  yield `# HELP ${shown} ${open ? escaped(help) : help.replaceAll("\\", "\\\\").replaceAll("\n", "\\n")}`;
  yield `# TYPE ${shown} ${type === "info" && !open ? "gauge" : type}`;
  if (open && unit !== undefined) yield `# UNIT ${shown} ${unit}`;
}

/** Name of the samples of a family, of a histogram without their suffixes. */
export function sampleName(name: string, type: Family["type"]): string {
  if (type === "counter") return `${name}_total`;
  return type === "info" ? `${name}_info` : name;
}

function* linesOf(family: Family, { labels, value }: LabelledSample): Generator<string> {
  const name = sampleName(family.name, family.type);
  if (typeof value === "object") yield* histogramLines(family, labels, value);
  else yield `${name}${labelText(labels)} ${numberText(value)}`;
}

function* histogramLines(
  { name, buckets = [] }: Family,
  labels: Readonly<Record<string, string>>,
  { counts, sum }: Buckets,
): Generator<string> {
  let below = 0;
  for (const [place, count] of counts.entries()) {
    below += count;
    const bound = buckets[place];
    const le = bound === undefined ? "+Inf" : Number.isInteger(bound) ? `${bound}.0` : String(bound);
    yield `${name}_bucket${labelText({ ...labels, le })} ${numberText(below)}`;
  }
  yield `${name}_sum${labelText(labels)} ${numberText(sum)}`;
  yield `${name}_count${labelText(labels)} ${numberText(below)}`;
}

function labelText(labels: Readonly<Record<string, string>>): string {
  const pairs = Object.entries(labels).map(([label, value]) => `${label}="${escaped(value)}"`);
  return pairs.length === 0 ? "" : `{${pairs.join(",")}}`;
}

const escaped = (text: string) => text.replaceAll("\\", "\\\\").replaceAll("\n", "\\n").replaceAll('"', '\\"');

function numberText(value: number): string {
  if (Number.isNaN(value)) return "NaN";
  if (!Number.isFinite(value)) return value > 0 ? "+Inf" : "-Inf";
  return String(value);
}
