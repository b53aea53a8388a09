import { type Breach, ROLLBACK_RULES, type RollbackRule } from "./api.ts";
import type { Arm } from "./arm.ts";

/** The rates are judged over this time, from so many requests on. */
export const WINDOW_MS = 5 * 60_000;
export const MIN_REQUESTS = 20;

type Limit = Pick<Breach, "limit" | "unit"> & {
  /** On the first occurrence, however few requests there are. */
  readonly atOnce?: true;
  /** Beyond the limit is: below it. */
  readonly least?: true;
  readonly measure: (live: Arm) => number | null;
};

const LIMITS: Readonly<Record<RollbackRule, Limit>> = {
  correlation_mismatch: { limit: 0, unit: "answers", atOnce: true, measure: (live) => live.count("mismatches") },
  corrupted_data: { limit: 0, unit: "answers", atOnce: true, measure: (live) => live.count("corrupted") },
  connection_errors: { limit: 10, unit: "percent", measure: (live) => live.percent("connection_errors") },
  fallback: { limit: 20, unit: "percent", measure: (live) => live.percent("timeouts", "errors", "fallbacks") },
  success: { limit: 90, unit: "percent", least: true, measure: (live) => live.percent("successes") },
  latency: { limit: 500, unit: "ms", measure: (live) => live.quantileMs(0.95) },
};

/** The limits, for people. */
export const ROLLBACK_LIMITS = ROLLBACK_RULES.map((rule) => ({
  rule,
  limit: LIMITS[rule].limit,
  unit: LIMITS[rule].unit,
}));

/** The rules that the live arm breaks, the most telling first. @param live - of the last {@link WINDOW_MS} */
export function breachesOf(live: Arm): Breach[] {
  const enough = live.requests >= MIN_REQUESTS;
  return ROLLBACK_RULES.flatMap((rule) => {
    const { limit, unit, atOnce = false, least = false, measure } = LIMITS[rule];
    const value = enough || atOnce ? measure(live) : null;
    if (value === null || !(least ? value < limit : value > limit)) return [];
    return [{ rule, value: Number(value.toPrecision(6)), limit, unit }];
  });
}
