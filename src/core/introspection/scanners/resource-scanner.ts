import * as z from "zod";
import { RunningMean } from "../../numbers/running-mean.ts";
import type { Sample } from "../window/sample.ts";
import { isAmount, isPercent, labelOf, rounded, severityOf } from "./facts.ts";
import { GroupMap, SampleGroup } from "./sample-group.ts";
import { type FindingWithCause, type Scanner, scannerKind } from "./scanner.ts";

const percent = z.number().min(0).max(100);

const Settings = z.strictObject({
  cpu_percent_above: percent.default(90).describe("Mean CPU use above which a reporter's host is a bottleneck"),
  cpu_percent_clear: percent.default(85).describe("The CPU gap is cleared at or below this value"),
  gpu_percent_below: percent.default(50).describe("Mean GPU use below which the GPU counts as underused"),
  gpu_percent_clear: percent.default(55).describe("The GPU gap is cleared at or above this value"),
  min_samples: z.int().min(1).max(100_000).default(5).describe("Samples of one reporter before they are evaluated"),
});
type Settings = z.infer<typeof Settings>;

/**
 * Resources: a host whose processor is the bottleneck, a GPU that idles. Each reporter is evaluated alone: the
 * mean over a fleet would hide one host at 100 % behind nineteen that idle. The memory use goes along as evidence.
 */
export const resourceScanner = scannerKind<Settings>({
  id: "resource_utilization",
  category: "resource_utilization",
  settings: Settings.refine(({ cpu_percent_above: above, cpu_percent_clear: clear }) => clear <= above, {
    path: ["cpu_percent_clear"],
    message: "give at most cpu_percent_above; otherwise a gap would be cleared while it is found",
  }).refine(({ gpu_percent_below: below, gpu_percent_clear: clear }) => clear >= below, {
    path: ["gpu_percent_clear"],
    message: "give at least gpu_percent_below; otherwise a gap would be cleared while it is found",
  }),
  open: (settings) => new ResourceScanner(settings),
});

const openGroup = () => ({ samples: new SampleGroup(), use: new RunningMean(), memory: new RunningMean() });
type Group = ReturnType<typeof openGroup>;

class ResourceScanner implements Scanner {
  readonly #settings: Settings;
  readonly #cpu = new GroupMap(openGroup);
  readonly #gpu = new GroupMap(openGroup);

  constructor(settings: Settings) {
    this.#settings = settings;
  }

  observe(sample: Sample): void {
    const reporter = labelOf(sample.reporter);
    if (reporter === undefined) return;
    const { cpu_percent: cpu, gpu_utilization: gpu, ram_percent: ram } = sample.facts;
    if (isPercent(cpu)) {
      const group = this.#cpu.observe(reporter, sample);
      group.use.add(cpu);
      if (isPercent(ram)) group.memory.add(ram);
    }
    if (isPercent(gpu)) {
      const group = this.#gpu.observe(reporter, sample);
      group.use.add(gpu);
      const memory = gpuMemoryPercent(sample);
      if (memory !== undefined) group.memory.add(memory);
    }
  }

  forget(sample: Sample): void {
    const reporter = labelOf(sample.reporter);
    if (reporter === undefined) return;
    const { cpu_percent: cpu, gpu_utilization: gpu, ram_percent: ram } = sample.facts;
    if (isPercent(cpu)) {
      const group = this.#cpu.forget(reporter, sample);
      group.use.remove(cpu);
      if (isPercent(ram)) group.memory.remove(ram);
    }
    if (isPercent(gpu)) {
      const group = this.#gpu.forget(reporter, sample);
      group.use.remove(gpu);
      const memory = gpuMemoryPercent(sample);
      if (memory !== undefined) group.memory.remove(memory);
    }
  }

  *findings(): Generator<FindingWithCause> {
    const { cpu_percent_above: above, gpu_percent_below: below, min_samples } = this.#settings;
    for (const [reporter, group] of this.#cpu.withSamples(min_samples)) {
      const mean = group.use.mean;
      if (mean <= this.#settings.cpu_percent_clear) continue;
      yield finding(reporter, group, {
        name: `cpu_bottleneck_${reporter}`,
        verdict: mean > above ? "breach" : "hold",
        reason: `CPU use of ${reporter} averages ${rounded(mean)} % over ${group.samples.size} samples; the limit is ${above} %`,
        severity: severityOf(mean, above, 100),
        metric: "cpu_percent",
        threshold: above,
        memoryMetric: "ram_percent",
      });
    }
    for (const [reporter, group] of this.#gpu.withSamples(min_samples)) {
      const mean = group.use.mean;
      if (mean >= this.#settings.gpu_percent_clear) continue;
      yield finding(reporter, group, {
        name: `low_gpu_utilization_${reporter}`,
        verdict: mean < below ? "breach" : "hold",
        reason: `GPU use of ${reporter} averages ${rounded(mean)} % over ${group.samples.size} samples; at least ${below} % is expected`,
        severity: severityOf(mean, below, 0),
        metric: "gpu_utilization",
        threshold: below,
        memoryMetric: "gpu_memory_percent",
      });
    }
  }
}

function finding(
  reporter: string,
  { samples, use, memory }: Group,
  fields: Pick<FindingWithCause, "name" | "verdict" | "reason" | "severity"> & {
    metric: string;
    threshold: number;
    memoryMetric: string;
  },
): FindingWithCause {
  const { metric, threshold, memoryMetric, ...rest } = fields;
  return {
    ...rest,
    type: "performance",
    category: "resource_utilization",
    installCost: 0.5,
    evidence: {
      metric,
      value: rounded(use.mean),
      threshold,
      unit: "percent",
      sample_count: samples.size,
      reporters: [reporter],
      first_seq: samples.first.seq,
      last_seq: samples.newest.seq,
      ...(memory.count === 0 ? {} : { details: { [memoryMetric]: rounded(memory.mean) } }),
    },
    cause: samples.newest,
    parties: samples.parties,
  };
}

function gpuMemoryPercent({ facts }: Sample): number | undefined {
  const { gpu_memory_used_mb: used, gpu_memory_total_mb: total } = facts;
  return isAmount(used) && isAmount(total) && total > 0 && used <= total ? (used / total) * 100 : undefined;
}
