import * as z from "zod";
import { FairQueue, type Held, type Party } from "../../collections/fair-queue.ts";
import { alwaysValidPValue, compareMeans, compareShares, holmLimit } from "../../numbers/difference.ts";
import { RunningMoments } from "../../numbers/running-moments.ts";
import type { Sample } from "../window/sample.ts";
import { isAmount, labelOf, rounded } from "./facts.ts";
import { GroupMap, SampleGroup } from "./sample-group.ts";
import { type FindingWithCause, type Scanner, scannerKind } from "./scanner.ts";

const Settings = z.strictObject({
  alpha: z
    .number()
    .min(0.000_1)
    .max(0.5)
    .default(0.05)
    .describe("Accepted chance of a false alarm, over all comparisons together"),
  min_samples: z.int().min(5).max(100_000).default(10).describe("Samples of each variant before it is compared"),
  min_success_points: z
    .number()
    .min(0)
    .max(100)
    .default(5)
    .describe("Smallest difference of success rates that matters, in percentage points"),
  min_ttr_percent: z
    .number()
    .min(0)
    .max(1_000)
    .default(10)
    .describe("Smallest difference of typical times that matters, in percent of the faster one"),
});
type Settings = z.infer<typeof Settings>;

/**
 * Comparison: within a niche, which `variant` (or `brainmod`) fails more often, or takes longer (`ttr_ms`), than
 * another. A gap needs a difference that is significant and large enough: see difference.ts for the tests, Holm's correction over all
 * comparisons of the ecosystem, and a smallest effect. Times are compared by their geometric mean.
 */
export const comparativeScanner = scannerKind<Settings>({
  id: "comparative_analysis",
  category: "comparative_analysis",
  settings: Settings,
  open: (settings) => new ComparativeScanner(settings),
});

const KINDS = ["variant", "brainmod"] as const;
type Kind = (typeof KINDS)[number];

/** Variants of a niche that are compared, the largest first: the number of pairs grows with the square. */
const MAX_VARIANTS = 30;
/** Typical differences, to which the tests are most sensitive: half of all tries, half as long again. */
const SUCCESS_SPREAD = 0.5;
const LOG_TTR_SPREAD = 0.5;
/** An open gap is kept until its difference is less than two standard errors, or half of what matters. */
const HOLD_DEVIATE = 2;

interface Group {
  readonly name: string;
  readonly samples: SampleGroup;
  successes: number;
  /** Of the logarithms of times above nothing. */
  readonly logTtr: RunningMoments;
}

interface Comparison {
  readonly niche: string;
  readonly kind: Kind;
  /** To whom the comparison is charged, of the senders of both variants. */
  readonly sender: string;
  readonly metric: "success_rate" | "ttr_ms";
  readonly worse: Group;
  readonly better: Group;
  readonly deviate: number;
  readonly pValue: number;
  /** Share of the smallest effect that matters: 1 and more matters. */
  readonly effect: number;
}

class ComparativeScanner implements Scanner {
  readonly #settings: Settings;
  /** By niche and kind; inside, by variant. */
  readonly #families = new Map<string, { niche: string; kind: Kind; groups: GroupMap<Group>; size: number }>();

  constructor(settings: Settings) {
    this.#settings = settings;
  }

  observe(sample: Sample): void {
    for (const kind of KINDS) {
      const name = labelOf(sample.facts[kind]);
      if (name === undefined) continue;
      const niche = sample.niche ?? "none";
      const key = `${kind} ${niche}`;
      let family = this.#families.get(key);
      if (family === undefined) {
        family = { niche, kind, groups: new GroupMap<Group>(() => openGroup()), size: 0 };
        this.#families.set(key, family);
      }
      family.size++;
      const group = family.groups.observe(name, sample);
      if (sample.ok) group.successes++;
      if (isAmount(sample.ttrMs) && sample.ttrMs > 0) group.logTtr.add(Math.log(sample.ttrMs));
    }
  }

  forget(sample: Sample): void {
    for (const kind of KINDS) {
      const name = labelOf(sample.facts[kind]);
      const key = `${kind} ${sample.niche ?? "none"}`;
      const family = this.#families.get(key);
      if (name === undefined || family === undefined) continue;
      const group = family.groups.forget(name, sample);
      if (sample.ok) group.successes--;
      if (isAmount(sample.ttrMs) && sample.ttrMs > 0) group.logTtr.remove(Math.log(sample.ttrMs));
      if (--family.size === 0) this.#families.delete(key);
    }
  }

  *findings(): Generator<FindingWithCause> {
    const comparisons = [...this.#comparisons()];
    const limits = limitsBySender(comparisons, this.#settings.alpha);
    // A variant may lose several comparisons. They make one gap, with the evidence of the clearest comparison.
    const clearest = new Map<string, { comparison: Comparison; verdict: "breach" | "hold" }>();
    for (const comparison of comparisons) {
      const { pValue, effect, deviate, kind, niche, worse, sender } = comparison;
      const real = pValue <= (limits.get(sender) ?? 0) && effect >= 1;
      if (!real && (Math.abs(deviate) < HOLD_DEVIATE || effect < 0.5)) continue;
      const name = `worse_${kind}_${niche}_${worse.name}`;
      const verdict = real ? "breach" : "hold";
      const known = clearest.get(name);
      if (known === undefined || isClearer({ comparison, verdict }, known)) clearest.set(name, { comparison, verdict });
    }
    for (const [name, { comparison, verdict }] of clearest) yield finding(name, verdict, comparison, this.#settings);
  }

  *#comparisons(): Generator<Comparison> {
    const { min_samples, min_success_points, min_ttr_percent } = this.#settings;
    for (const { niche, kind, groups } of this.#families.values()) {
      const variants = comparedVariants(
        [...groups.withSamples(min_samples)]
          .map(([name, group]) => ({ ...group, name }))
          .sort((a, b) => b.samples.size - a.samples.size || (a.name < b.name ? -1 : 1)),
      );
      for (const [place, { item: a, party }] of variants.entries()) {
        for (const { item: b, party: other } of variants.slice(place + 1)) {
          const sender = moreVariants(variants, party.sender, other.sender);
          const shares = compareShares(
            { successes: a.successes, trials: a.samples.size },
            { successes: b.successes, trials: b.samples.size },
          );
          const points = Math.abs(rateOf(a) - rateOf(b));
          yield {
            ...(shares.deviate < 0 ? { worse: a, better: b } : { worse: b, better: a }),
            niche,
            kind,
            sender,
            metric: "success_rate",
            deviate: shares.deviate,
            pValue: alwaysValidPValue(shares, SUCCESS_SPREAD),
            effect: atLeast(points, min_success_points),
          };
          if (Math.min(a.logTtr.count, b.logTtr.count) < min_samples) continue;
          const times = compareMeans(a.logTtr, b.logTtr);
          const percent = Math.expm1(Math.abs(a.logTtr.mean - b.logTtr.mean)) * 100;
          yield {
            ...(times.deviate > 0 ? { worse: a, better: b } : { worse: b, better: a }),
            niche,
            kind,
            sender,
            metric: "ttr_ms",
            deviate: times.deviate,
            pValue: alwaysValidPValue(times, LOG_TTR_SPREAD),
            effect: atLeast(percent, min_ttr_percent),
          };
        }
      }
    }
  }
}

/** At most so many variants; where there are more, whoever sent the most of them loses the smallest. */
function comparedVariants(largestFirst: readonly Group[]): Held<Group>[] {
  const compared = new FairQueue<Group>();
  for (const group of largestFirst) {
    const [first = NOBODY] = group.samples.parties;
    compared.add(group, compared.leastOf(group.samples.parties) ?? first);
    const last = compared.size > MAX_VARIANTS ? compared.lastOfGreediest() : undefined;
    if (last !== undefined) compared.remove(last);
  }
  return [...compared.all()].sort(
    (a, b) => b.item.samples.size - a.item.samples.size || (a.item.name < b.item.name ? -1 : 1),
  );
}

/** Which of two senders has more of the variants. */
function moreVariants(variants: readonly Held<Group>[], a: string, b: string): string {
  if (a === b) return a;
  const of = (sender: string) => variants.filter(({ party }) => party.sender === sender).length;
  const more = of(a) - of(b) || (a < b ? -1 : 1);
  return more > 0 ? a : b;
}

const NOBODY: Party = { sender: "", source: "" };

/**
 * The limits of significance, each sender's own: the accepted chance of a false alarm is shared out among the senders, and
 * within each among its comparisons. So who invents variants makes only his own harder to tell apart.
 */
function limitsBySender(comparisons: readonly Comparison[], alpha: number): Map<string, number> {
  const pValues = Map.groupBy(comparisons, ({ sender }) => sender);
  return new Map(
    [...pValues].map(([sender, own]) => [
      sender,
      holmLimit(
        own.map(({ pValue }) => pValue),
        alpha / pValues.size,
      ),
    ]),
  );
}

const openGroup = (): Group => ({ name: "", samples: new SampleGroup(), successes: 0, logTtr: new RunningMoments() });
const rateOf = ({ successes, samples }: Group) => (successes / samples.size) * 100;
const typicalTtr = ({ logTtr }: Group) => Math.exp(logTtr.mean);
const atLeast = (value: number, smallest: number) => (smallest === 0 ? (value > 0 ? 1 : 0) : value / smallest);

type JudgedComparison = { readonly comparison: Comparison; readonly verdict: "breach" | "hold" };

/** Beyond the threshold first, then by probability; the name of the better one decides between equals. */
function isClearer(a: JudgedComparison, b: JudgedComparison): boolean {
  if (a.verdict !== b.verdict) return a.verdict === "breach";
  if (a.comparison.pValue !== b.comparison.pValue) return a.comparison.pValue < b.comparison.pValue;
  return a.comparison.better.name < b.comparison.better.name;
}

function finding(
  name: string,
  verdict: "breach" | "hold",
  comparison: Comparison,
  settings: Settings,
): FindingWithCause {
  const { niche, kind, metric, worse, better, pValue } = comparison;
  const success = metric === "success_rate";
  const [value, threshold] = success ? [rateOf(worse), rateOf(better)] : [typicalTtr(worse), typicalTtr(better)];
  const unit = success ? "percent" : "ms";
  const figures = success
    ? `succeeds in ${rounded(value)} % of ${worse.samples.size} tries, ${better.name} in ${rounded(threshold)} % of ${better.samples.size}`
    : `takes ${rounded(value)} ms (typical of ${worse.logTtr.count}), ${better.name} ${rounded(threshold)} ms (of ${better.logTtr.count})`;
  return {
    name,
    type: "performance",
    category: "comparative_analysis",
    reason: `In ${niche}, the ${kind} ${worse.name} ${figures}; the probability of such a difference by chance is ${Number(pValue.toPrecision(2))}`,
    verdict,
    severity: Math.min(1, success ? (threshold - value) / 100 : 1 - threshold / value),
    installCost: 0.3,
    evidence: {
      metric,
      value: rounded(value),
      threshold: rounded(threshold),
      unit,
      sample_count: worse.samples.size + better.samples.size,
      reporters: [...new Set([...worse.samples.reporters, ...better.samples.reporters])].sort(),
      first_seq: Math.min(worse.samples.first.seq, better.samples.first.seq),
      last_seq: Math.max(worse.samples.newest.seq, better.samples.newest.seq),
      details: {
        niche,
        kind,
        worse: worse.name,
        better: better.name,
        worse_samples: worse.samples.size,
        better_samples: better.samples.size,
        p_value: Number(pValue.toPrecision(3)),
        alpha: settings.alpha,
      },
    },
    cause: worse.samples.newest,
    parties: worse.samples.parties,
  };
}
