import type { Moments } from "../../numbers/difference.ts";
import { LogHistogram } from "../../numbers/log-histogram.ts";
import { type ArmFigures, type ArmOutcomes, MAX_MS } from "./api.ts";

const COUNTS = [
  "successes",
  "timeouts",
  "errors",
  "fallbacks",
  "connection_errors",
  "mismatches",
  "corrupted",
  "patterns",
] as const;

/** The outcomes of one arm, added up: whoever adds two arms has that of all their requests. */
export class Arm {
  readonly #counts: Record<(typeof COUNTS)[number], number> = {
    successes: 0,
    timeouts: 0,
    errors: 0,
    fallbacks: 0,
    connection_errors: 0,
    mismatches: 0,
    corrupted: 0,
    patterns: 0,
  };
  readonly #latency = new LogHistogram();
  #confidence = 0;
  #squares = 0;

  get requests(): number {
    const { successes, timeouts, errors, fallbacks } = this.#counts;
    return successes + timeouts + errors + fallbacks;
  }

  count(name: (typeof COUNTS)[number]): number {
    return this.#counts[name];
  }

  add(outcomes: ArmOutcomes): void {
    for (const name of COUNTS) this.#counts[name] += outcomes[name];
    for (const [ms, times] of outcomes.latency_ms) this.#latency.add(ms, times);
    this.#confidence += outcomes.confidence.sum;
    this.#squares += outcomes.confidence.squares;
  }

  merge(other: Arm): void {
    this.add(other.outcomes());
  }

  /** What was added, in a form that can be sent, stored and added again. */
  outcomes(): ArmOutcomes {
    return {
      ...this.#counts,
      confidence: { sum: this.#confidence, squares: this.#squares },
      // The middle of a bucket may lie beyond the longest time.
      latency_ms: [...this.#latency.entries()].map(([ms, times]) => [Math.min(ms, MAX_MS), times]),
    };
  }

  quantileMs(share: number): number | null {
    return this.#latency.count === 0 ? null : this.#latency.quantile(share);
  }

  /** Percent of all requests; `null`: there was none. */
  percent(...names: (typeof COUNTS)[number][]): number | null {
    const { requests } = this;
    return requests === 0 ? null : (100 * names.reduce((all, name) => all + this.#counts[name], 0)) / requests;
  }

  get confidence(): Moments {
    const count = this.requests;
    return momentsOf(count, this.#confidence, this.#squares);
  }

  /** Of the logarithms of the times, which are closer to normal than times are; exact to 1 %, as the buckets are. */
  get logLatency(): Moments {
    let [count, sum, squares] = [0, 0, 0];
    for (const [ms, times] of this.#latency.entries()) {
      const log = Math.log(Math.max(ms, SHORTEST_MS));
      count += times;
      sum += times * log;
      squares += times * log ** 2;
    }
    return momentsOf(count, sum, squares);
  }

  figures(): ArmFigures {
    const { requests } = this;
    const mean = (sum: number) => (requests === 0 ? null : rounded(sum / requests));
    return {
      requests,
      success_percent: roundedOr(this.percent("successes")),
      fallback_percent: roundedOr(this.percent("timeouts", "errors", "fallbacks")),
      connection_error_percent: roundedOr(this.percent("connection_errors")),
      timeouts: this.#counts.timeouts,
      mismatches: this.#counts.mismatches,
      corrupted: this.#counts.corrupted,
      p50_ms: roundedOr(this.quantileMs(0.5)),
      p95_ms: roundedOr(this.quantileMs(0.95)),
      p99_ms: roundedOr(this.quantileMs(0.99)),
      confidence: mean(this.#confidence),
      patterns_per_request: mean(this.#counts.patterns),
    };
  }
}

/** Times below a tenth of a millisecond are as good as none: their logarithms would drown those of all others. */
const SHORTEST_MS = 0.1;

function momentsOf(count: number, sum: number, squares: number): Moments {
  const variance = count < 2 ? Number.NaN : Math.max(0, (squares - sum ** 2 / count) / (count - 1));
  return { count, mean: count === 0 ? Number.NaN : sum / count, variance };
}

/** To four significant digits: what is shown, not what is judged. */
export const rounded = (value: number): number => Number(value.toPrecision(4));
export const roundedOr = (value: number | null): number | null => (value === null ? null : rounded(value));
