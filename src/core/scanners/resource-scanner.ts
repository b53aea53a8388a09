import type { Sample } from "../observations/sample.ts";
import { RunningMean } from "./running-mean.ts";
import type { FindingWithCause, Scanner } from "./scanner.ts";

export const RESOURCE_SETTINGS = {
  /** Mean CPU use above which a reporter's host is a bottleneck, in percent. */
  cpu_percent_above: 90,
  /** It is over below this, in percent. */
  cpu_percent_clear: 85,
  /** Mean GPU use below which the GPU is wasted, in percent. */
  gpu_percent_below: 50,
  gpu_percent_clear: 55,
  /** Samples of one reporter before anything is said. */
  min_samples: 5,
} as const;

export type ResourceSettings = { readonly [Name in keyof typeof RESOURCE_SETTINGS]: number };

type Metric = "cpu" | "gpu";

interface Group {
  readonly mean: RunningMean;
  /** Samples inside, by their place in the log; a map keeps the order of arrival. */
  readonly inside: Map<number, Sample>;
  newest: Sample;
}

/**
 * Resources (R12): a host whose processor is the bottleneck, a GPU that idles. Judged reporter by reporter: the mean
 * over a fleet would hide one host at 100 % behind nineteen that sleep.
 */
export class ResourceScanner implements Scanner {
  readonly id = "resource_utilization";
  readonly category = "resource_utilization";
  readonly settings: ResourceSettings;
  readonly #groups: Readonly<Record<Metric, Map<string, Group>>> = { cpu: new Map(), gpu: new Map() };

  constructor(settings: Partial<ResourceSettings> = {}) {
    this.settings = { ...RESOURCE_SETTINGS, ...settings };
  }

  observe(sample: Sample): void {
    this.#each(sample, (groups, value) => {
      let group = groups.get(sample.reporter);
      if (group === undefined) {
        group = { mean: new RunningMean(), inside: new Map(), newest: sample };
        groups.set(sample.reporter, group);
      }
      group.mean.add(value);
      group.inside.set(sample.seq, sample);
      if (sample.seq > group.newest.seq) group.newest = sample;
    });
  }

  forget(sample: Sample): void {
    this.#each(sample, (groups, value) => {
      const group = groups.get(sample.reporter);
      if (group === undefined) return;
      group.mean.remove(value);
      group.inside.delete(sample.seq);
      if (group.inside.size === 0) groups.delete(sample.reporter);
    });
  }

  findings(): FindingWithCause[] {
    return [...this.#cpu(), ...this.#gpu()];
  }

  *#cpu(): Generator<FindingWithCause> {
    const { cpu_percent_above: above, cpu_percent_clear: clear } = this.settings;
    for (const [reporter, group] of this.#judged("cpu")) {
      const mean = group.mean.mean;
      if (mean <= clear) continue;
      yield this.#finding(reporter, group, {
        name: `cpu_bottleneck_${reporter}`,
        verdict: mean > above ? "breach" : "hold",
        reason: `CPU use of ${reporter} averages ${round(mean)} % over ${group.mean.count} samples; the limit is ${above} %`,
        severity: (mean - above) / (100 - above),
        metric: "cpu_percent",
        threshold: above,
      });
    }
  }

  *#gpu(): Generator<FindingWithCause> {
    const { gpu_percent_below: below, gpu_percent_clear: clear } = this.settings;
    for (const [reporter, group] of this.#judged("gpu")) {
      const mean = group.mean.mean;
      if (mean >= clear) continue;
      yield this.#finding(reporter, group, {
        name: `low_gpu_utilization_${reporter}`,
        verdict: mean < below ? "breach" : "hold",
        reason: `GPU use of ${reporter} averages ${round(mean)} % over ${group.mean.count} samples; at least ${below} % is expected`,
        severity: (below - mean) / below,
        metric: "gpu_utilization",
        threshold: below,
      });
    }
  }

  *#judged(metric: Metric): Generator<[reporter: string, Group]> {
    for (const entry of this.#groups[metric]) if (entry[1].mean.count >= this.settings.min_samples) yield entry;
  }

  #finding(
    reporter: string,
    group: Group,
    said: {
      name: string;
      verdict: "breach" | "hold";
      reason: string;
      severity: number;
      metric: string;
      threshold: number;
    },
  ): FindingWithCause {
    const { name, verdict, reason, metric, threshold } = said;
    const first: Sample | undefined = group.inside.values().next().value;
    return {
      name,
      type: "performance",
      category: this.category,
      reason,
      verdict,
      severity: Math.min(1, Math.max(0, said.severity)),
      installCost: 0.5,
      evidence: {
        metric,
        value: round(group.mean.mean),
        threshold,
        unit: "percent",
        sample_count: group.mean.count,
        reporters: [reporter],
        first_seq: first?.seq ?? group.newest.seq,
        last_seq: group.newest.seq,
      },
      cause: group.newest,
    };
  }

  #each(sample: Sample, act: (groups: Map<string, Group>, value: number) => void): void {
    const { cpu_percent: cpu, gpu_utilization: gpu } = sample.facts;
    if (isPercent(cpu)) act(this.#groups.cpu, cpu);
    if (isPercent(gpu)) act(this.#groups.gpu, gpu);
  }
}

/** Facts are the reporters' own: a figure outside 0–100 is a mistake, and averaging it in would spread it. */
function isPercent(value: unknown): value is number {
  return typeof value === "number" && value >= 0 && value <= 100;
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}
