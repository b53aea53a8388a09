import {
  alwaysValidPValue,
  compareMeans,
  compareShares,
  type Difference,
  holmLimit,
} from "../../numbers/difference.ts";
import type { ArmComparison } from "./api.ts";
import { type Arm, rounded } from "./arm.ts";

/** Requests of each arm before it is compared. */
export const MIN_COMPARED = 10;
/** Accepted chance of a false alarm, over all comparisons together. */
const ALPHA = 0.05;
/** Typical differences, to which the tests are most sensitive: as the comparative scanner takes them. */
const SUCCESS_SPREAD = 0.5;
const LOG_LATENCY_SPREAD = 0.5;
const CONFIDENCE_SPREAD = 0.2;

interface Compared {
  readonly metric: ArmComparison["metric"];
  readonly live: number;
  readonly library: number;
  /** Positive: that of the live arm is greater. */
  readonly difference: Difference;
  readonly spread: number;
  readonly lowerIsBetter?: true;
}

/** Compares both arms by the statistics of the comparative scanner, which may be looked at as often as one likes. */
export function compareArms(live: Arm, library: Arm): ArmComparison[] {
  if (Math.min(live.requests, library.requests) < MIN_COMPARED)
    return [
      tooFew("success_percent", live, library),
      tooFew("latency_ms", live, library),
      tooFew("confidence", live, library),
    ];
  const latencies = { live: live.logLatency, library: library.logLatency };
  const timed = Math.min(latencies.live.count, latencies.library.count) >= MIN_COMPARED;
  const compared: Compared[] = [
    {
      metric: "success_percent",
      live: 100 * shareOf(live),
      library: 100 * shareOf(library),
      difference: compareShares(triesOf(live), triesOf(library)),
      spread: SUCCESS_SPREAD,
    },
    {
      metric: "confidence",
      live: live.confidence.mean,
      library: library.confidence.mean,
      difference: compareMeans(live.confidence, library.confidence),
      spread: CONFIDENCE_SPREAD,
    },
    ...(timed
      ? [
          {
            metric: "latency_ms" as const,
            live: Math.exp(latencies.live.mean),
            library: Math.exp(latencies.library.mean),
            difference: compareMeans(latencies.live, latencies.library),
            spread: LOG_LATENCY_SPREAD,
            lowerIsBetter: true as const,
          },
        ]
      : []),
  ];
  const pValues = compared.map(({ difference, spread }) => alwaysValidPValue(difference, spread));
  const limit = holmLimit(pValues, ALPHA);
  const judged = compared.map((one, place): ArmComparison => {
    const pValue = pValues[place] ?? 1;
    const better = one.difference.deviate > 0 !== (one.lowerIsBetter === true) ? "live_better" : "library_better";
    return {
      metric: one.metric,
      live: rounded(one.live),
      library: rounded(one.library),
      p_value: Number(pValue.toPrecision(3)),
      verdict: pValue <= limit ? better : "no_difference",
    };
  });
  return timed ? judged : [...judged, tooFew("latency_ms", live, library)];
}

const triesOf = (arm: Arm) => ({ successes: arm.count("successes"), trials: arm.requests });
const shareOf = (arm: Arm) => arm.count("successes") / arm.requests;

function tooFew(metric: ArmComparison["metric"], live: Arm, library: Arm): ArmComparison {
  const figureOf = (arm: Arm): number | null => {
    if (metric === "success_percent") return arm.percent("successes");
    const { count, mean } = metric === "confidence" ? arm.confidence : arm.logLatency;
    return count === 0 ? null : metric === "confidence" ? mean : Math.exp(mean);
  };
  const shown = (value: number | null) => (value === null ? null : rounded(value));
  return { metric, live: shown(figureOf(live)), library: shown(figureOf(library)), p_value: null, verdict: "too_few" };
}
