import * as z from "zod";
import { RunningMean } from "../../numbers/running-mean.ts";
import type { Sample } from "../window/sample.ts";
import { isAmount, labelOf, rounded, severityOf } from "./facts.ts";
import { GroupMap, SampleGroup } from "./sample-group.ts";
import { type FindingWithCause, type Scanner, scannerKind } from "./scanner.ts";

const percent = z.number().min(0).max(100);

const Settings = z.strictObject({
  reach_percent_below: percent
    .default(70)
    .describe("The tail is unused when the highest reference lies, on average, below this share of the context"),
  reach_percent_clear: percent.default(75).describe("The gap is cleared at or above this value"),
  recent_percent_above: percent
    .default(80)
    .describe("Recency bias: more than this share of all references lies in the last part"),
  recent_percent_clear: percent.default(75).describe("The gap is cleared at or below this value"),
  recent_part_percent: percent.default(20).describe("Length of the last part, as a share of the context"),
  min_samples: z.int().min(1).max(100_000).default(3).describe("Samples of one reporter before they are evaluated"),
});
type Settings = z.infer<typeof Settings>;

/**
 * Context utilisation, by reporter: `context_length` in tokens and `references`, the positions in it that were
 * used. A sample without references, or with one outside its context, is left out.
 */
export const contextScanner = scannerKind<Settings>({
  id: "context_utilization",
  category: "context_utilization",
  settings: Settings.refine(({ reach_percent_below: below, reach_percent_clear: clear }) => clear >= below, {
    path: ["reach_percent_clear"],
    message: "give at least reach_percent_below; otherwise a gap would be cleared while it is found",
  }).refine(({ recent_percent_above: above, recent_percent_clear: clear }) => clear <= above, {
    path: ["recent_percent_clear"],
    message: "give at most recent_percent_above; otherwise a gap would be cleared while it is found",
  }),
  open: (settings) => new ContextScanner(settings),
});

interface Use {
  /** Highest reference as a share of the context, in percent. */
  readonly reach: number;
  readonly references: number;
  /** References in the last part. */
  readonly recent: number;
}

/**
 * What a sample says of the use of a context; `undefined`: it is left out.
 *
 * @param part - length of the last part, as a share of the context in percent
 */
export function contextUse({ facts: { context_length: length, references } }: Sample, part: number): Use | undefined {
  if (!isAmount(length) || length === 0 || !Array.isArray(references) || references.length === 0) return undefined;
  const recentFrom = length * (1 - part / 100);
  let highest = 0;
  let recent = 0;
  for (const reference of references as readonly unknown[]) {
    if (!isAmount(reference) || reference > length) return undefined;
    if (reference > highest) highest = reference;
    if (reference >= recentFrom) recent++;
  }
  return { reach: (highest / length) * 100, references: references.length, recent };
}

class ContextScanner implements Scanner {
  readonly #settings: Settings;
  readonly #groups = new GroupMap(() => ({
    samples: new SampleGroup(),
    reach: new RunningMean(),
    references: 0,
    recent: 0,
  }));

  constructor(settings: Settings) {
    this.#settings = settings;
  }

  observe(sample: Sample): void {
    const use = contextUse(sample, this.#settings.recent_part_percent);
    const reporter = labelOf(sample.reporter);
    if (use === undefined || reporter === undefined) return;
    const group = this.#groups.observe(reporter, sample);
    group.reach.add(use.reach);
    group.references += use.references;
    group.recent += use.recent;
  }

  forget(sample: Sample): void {
    const use = contextUse(sample, this.#settings.recent_part_percent);
    const reporter = labelOf(sample.reporter);
    if (use === undefined || reporter === undefined) return;
    const group = this.#groups.forget(reporter, sample);
    group.reach.remove(use.reach);
    group.references -= use.references;
    group.recent -= use.recent;
  }

  *findings(): Generator<FindingWithCause> {
    const settings = this.#settings;
    for (const [reporter, group] of this.#groups.withSamples(settings.min_samples)) {
      const reach = group.reach.mean;
      if (reach < settings.reach_percent_clear) {
        const below = settings.reach_percent_below;
        yield this.#finding(group.samples, {
          name: `unused_context_tail_${reporter}`,
          verdict: reach < below ? "breach" : "hold",
          reason: `The highest reference of ${reporter} lies at ${rounded(reach)} % of the context on average over ${group.samples.size} samples; below ${below} % the tail is paid for but not used`,
          severity: severityOf(reach, below, 0),
          metric: "highest_reference",
          value: reach,
          threshold: below,
        });
      }
      const recent = (group.recent / group.references) * 100;
      if (recent > settings.recent_percent_clear) {
        const above = settings.recent_percent_above;
        yield this.#finding(group.samples, {
          name: `recency_bias_${reporter}`,
          verdict: recent > above ? "breach" : "hold",
          reason: `${rounded(recent)} % of ${group.references} references of ${reporter} lie in the last ${settings.recent_part_percent} % of the context; the limit is ${above} %`,
          severity: severityOf(recent, above, 100),
          metric: "recent_references",
          value: recent,
          threshold: above,
        });
      }
    }
  }

  #finding(
    samples: SampleGroup,
    fields: Pick<FindingWithCause, "name" | "verdict" | "reason" | "severity"> &
      Pick<FindingWithCause["evidence"], "metric" | "value" | "threshold">,
  ): FindingWithCause {
    const { metric, value, threshold, ...finding } = fields;
    return {
      ...finding,
      type: "performance",
      category: "context_utilization",
      installCost: 0.4,
      evidence: {
        metric,
        value: rounded(value),
        threshold,
        unit: "percent",
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
