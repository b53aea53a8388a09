import * as z from "zod";
import { RunningMean } from "../../numbers/running-mean.ts";
import type { Sample } from "../window/sample.ts";
import { isAmount, labelOf, rounded, severityOf } from "./facts.ts";
import { GroupMap, SampleGroup } from "./sample-group.ts";
import { type FindingWithCause, type Scanner, scannerKind } from "./scanner.ts";

const Settings = z.strictObject({
  tokens_per_sec_below: z.number().positive().default(10).describe("Mean speed below which a task type is slow"),
  tokens_per_sec_clear: z.number().positive().default(11).describe("The gap is cleared at or above this speed"),
  min_samples: z.int().min(1).max(100_000).default(5).describe("Samples of one task type before they are evaluated"),
});
type Settings = z.infer<typeof Settings>;

/** Inference: kinds of task that a model answers too slowly, by `task_type` and `tokens_per_sec`. */
export const inferenceScanner = scannerKind<Settings>({
  id: "inference_performance",
  category: "inference_performance",
  settings: Settings.refine(({ tokens_per_sec_below: below, tokens_per_sec_clear: clear }) => clear >= below, {
    path: ["tokens_per_sec_clear"],
    message: "give at least tokens_per_sec_below; otherwise a gap would be cleared while it is found",
  }),
  open: (settings) => new InferenceScanner(settings),
});

class InferenceScanner implements Scanner {
  readonly #settings: Settings;
  readonly #groups = new GroupMap(() => ({ samples: new SampleGroup(), speed: new RunningMean() }));

  constructor(settings: Settings) {
    this.#settings = settings;
  }

  observe(sample: Sample): void {
    const { task_type, tokens_per_sec } = sample.facts;
    const task = labelOf(task_type);
    if (task !== undefined && isAmount(tokens_per_sec)) this.#groups.observe(task, sample).speed.add(tokens_per_sec);
  }

  forget(sample: Sample): void {
    const { task_type, tokens_per_sec } = sample.facts;
    const task = labelOf(task_type);
    if (task !== undefined && isAmount(tokens_per_sec)) this.#groups.forget(task, sample).speed.remove(tokens_per_sec);
  }

  *findings(): Generator<FindingWithCause> {
    const { tokens_per_sec_below: below, tokens_per_sec_clear: clear, min_samples } = this.#settings;
    for (const [task, { samples, speed }] of this.#groups.withSamples(min_samples)) {
      const mean = speed.mean;
      if (mean >= clear) continue;
      yield {
        name: `slow_inference_${task}`,
        type: "performance",
        category: "inference_performance",
        reason: `Inference for ${task} averages ${rounded(mean)} tokens/s over ${samples.size} samples; at least ${below} are expected`,
        verdict: mean < below ? "breach" : "hold",
        severity: severityOf(mean, below, 0),
        installCost: 0.6,
        evidence: {
          metric: "tokens_per_sec",
          value: rounded(mean),
          threshold: below,
          unit: "tokens/s",
          sample_count: samples.size,
          reporters: samples.reporters,
          first_seq: samples.first.seq,
          last_seq: samples.newest.seq,
        },
        cause: samples.newest,
        parties: samples.parties,
      };
    }
  }
}
