import * as z from "zod";
import { Timestamp } from "../../signals/timestamp-schema.ts";

/** The two ways of an asker: live hosts are asked, or the roll-out did not choose the request. */
export const ARMS = ["live", "library"] as const;
export type ArmName = (typeof ARMS)[number];

/**
 * Why live discovery is rolled back. The first two count at once, on the first occurrence; the others are rates of the last
 * minutes. Where several are broken, the first one of this order is named first: the more it says of the cause, the earlier.
 */
export const ROLLBACK_RULES = [
  "correlation_mismatch",
  "corrupted_data",
  "connection_errors",
  "fallback",
  "success",
  "latency",
] as const;
export type RollbackRule = (typeof ROLLBACK_RULES)[number];

/** A rule of the rollback that the figures break. */
export const Breach = z.object({
  rule: z.enum(ROLLBACK_RULES).meta({ description: "What is measured" }),
  value: z.number().meta({ description: "What was measured" }),
  limit: z.number(),
  unit: z.enum(["percent", "ms", "answers"]).meta({ description: "Unit of value and limit" }),
});
export type Breach = z.infer<typeof Breach>;

const Share = z.number("give percent from 0 to 100").min(0, "give 0 or more").max(100, "give 100 or less");

/** How live discovery was rolled back. */
export const Rollback = z.object({
  rule: z
    .enum([...ROLLBACK_RULES, "by_hand"])
    .meta({ description: "The rule that was broken; `by_hand`: somebody rolled back" }),
  value: z.number().nullable().meta({ description: "What was measured; null: rolled back by hand" }),
  limit: z.number().nullable(),
  unit: Breach.shape.unit.nullable().meta({ description: "Unit of value and limit" }),
  rules: z.array(Breach).readonly().meta({ description: "All rules that were broken" }),
  share_before: Share.meta({ description: "The share before, in percent" }),
  requests: z.int().meta({ description: "Requests of the live arm that were judged" }),
  at: Timestamp,
});
export type Rollback = z.infer<typeof Rollback>;

/** What an asker needs to decide by itself, and who set it. */
export const RolloutState = z.object({
  share: Share.meta({ description: "Percent of the keys (service, else correlation id) that ask live hosts" }),
  version: z.int().meta({ description: "Increases with each change; 0: nothing was set yet" }),
  since: Timestamp.nullable(),
  by: z
    .string()
    .nullable()
    .meta({ description: "Name of the token that changed it; null: the edge itself, or nobody" }),
  note: z.string().nullable().meta({ description: "Why, for people" }),
  rolled_back: Rollback.nullable().meta({ description: "Until somebody raises the share" }),
});
export type RolloutState = z.infer<typeof RolloutState>;

const Note = z.string().max(1_000).optional().meta({ description: "Why, for people" });

export const RolloutChange = z.strictObject({
  share: Share.meta({ description: "Percent of the keys that ask live hosts" }),
  note: Note,
  version: z.int().min(0).optional().meta({ description: "Change only if this version is in force" }),
});
export type RolloutChange = z.infer<typeof RolloutChange>;

export const RollbackRequest = z.strictObject({ note: Note });
export type RollbackRequest = z.infer<typeof RollbackRequest>;

/** The answer to a change; `conflict`: the version in force, which the change did not name. */
export type RolloutAnswer =
  | { readonly ok: true; readonly state: RolloutState }
  | { readonly ok: false; readonly conflict: number };

/** Requests of one arm in one report. */
export const MAX_REQUESTS = 1_000_000;
/** Longest time of a request that is told from longer ones, in milliseconds. */
export const MAX_MS = 3_600_000;
/** Sums of fractions are not exact. */
const ROUNDING = 1e-6;

/** Outcomes of one arm. Each request is one of the first four. */
function armOf(most: number) {
  const count = (what: string) => z.int().min(0).max(most).default(0).meta({ description: what });
  const sum = (what: string) => z.number().min(0).max(most).default(0).meta({ description: what });
  return z.strictObject({
    successes: count("Answers that could be used"),
    timeouts: count("No answer in time"),
    errors: count("An answer that is a failure, or cannot be read"),
    fallbacks: count("Nobody could be asked"),
    connection_errors: count("Of those: the edge could not be reached, or refused the token"),
    mismatches: count("Answers to another request"),
    corrupted: count("Answers that cannot be read"),
    patterns: count("Patterns that live hosts gave"),
    confidence: z
      .strictObject({ sum: sum("Sum of the confidences"), squares: sum("Sum of their squares") })
      .default({ sum: 0, squares: 0 })
      .meta({ description: "Of the contexts, to be summed up" }),
    latency_ms: z
      .array(z.tuple([z.number().min(0).max(MAX_MS), z.int().min(1).max(most)]))
      .max(2_000)
      .default([])
      .meta({ description: "Pairs of milliseconds and how many requests took them" }),
  });
}

/** What one asker measured in one arm since its report before. */
export const ArmOutcomes = armOf(MAX_REQUESTS).superRefine((arm, context) => {
  const requests = arm.successes + arm.timeouts + arm.errors + arm.fallbacks;
  const refuse = (field: string, message: string) => context.addIssue({ code: "custom", path: [field], message });
  for (const field of ["connection_errors", "mismatches", "corrupted"] as const)
    if (arm[field] > requests) refuse(field, `give ${requests} at most: so many requests there are`);
  if (arm.latency_ms.reduce((all, [, times]) => all + times, 0) > requests)
    refuse("latency_ms", "give no more times than there are requests");
  const { sum, squares } = arm.confidence;
  if (sum > requests + ROUNDING || squares > sum + ROUNDING)
    refuse("confidence", "give sums over all requests of numbers from 0 to 1");
});
export type ArmOutcomes = z.output<typeof ArmOutcomes>;

/** The outcomes of one arm that many askers reported. */
export const SummedOutcomes = armOf(Number.MAX_SAFE_INTEGER);

/** What an asker measured. A report that is sent again under its number counts once. */
export const OutcomeReport = z.strictObject({
  reporter: z
    .string("give a name that no other process has, such as a UUID")
    .regex(/^[\w.:-]{1,128}$/, "give 1 to 128 letters, digits and _ . : -")
    .meta({ description: "Names the process, such as a UUID" }),
  number: z.int().min(1).meta({ description: "Of the report: 1, 2, 3 …" }),
  version: z.int().min(0).meta({ description: "Version of the roll-out by which the requests were decided" }),
  live: ArmOutcomes.optional().meta({ description: "Requests to live hosts" }),
  library: ArmOutcomes.optional().meta({ description: "Requests that the roll-out did not choose" }),
});
export type OutcomeReport = z.output<typeof OutcomeReport>;
export type OutcomeInput = z.input<typeof OutcomeReport>;

const percent = z.number().nullable().meta({ description: "Percent; null: there was no request" });
const ms = (what: string) =>
  z
    .number()
    .nullable()
    .meta({ description: `${what}, in milliseconds; null: no request` });
const quantiles = {
  p50_ms: ms("Median time"),
  p95_ms: ms("95th percentile of the time"),
  p99_ms: ms("99th percentile of the time"),
};
const requests = (what: string) => z.int().meta({ description: what });
const patterns = z.number().nullable().meta({ description: "Mean of the patterns that a request got" });
const confidence = z.number().nullable().meta({ description: "Mean of the contexts' confidences" });

export const ArmFigures = z.object({
  requests: requests("Requests of the arm"),
  success_percent: percent,
  fallback_percent: percent,
  connection_error_percent: percent,
  timeouts: requests("Requests without an answer in time"),
  mismatches: requests("Answers to another request"),
  corrupted: requests("Answers that could not be read"),
  ...quantiles,
  confidence,
  patterns_per_request: patterns,
});
export type ArmFigures = z.infer<typeof ArmFigures>;

/** A comparison of both arms. */
export const ArmComparison = z.object({
  metric: z
    .enum(["success_percent", "latency_ms", "confidence"])
    .meta({ description: "What is compared; of times the geometric mean" }),
  live: z.number().nullable().meta({ description: "Value of the arm that asks live hosts" }),
  library: z.number().nullable().meta({ description: "Value of the arm that the roll-out did not choose" }),
  p_value: z
    .number()
    .nullable()
    .meta({ description: "Probability of such a difference by chance, valid however often it is looked at" }),
  verdict: z
    .enum(["live_better", "library_better", "no_difference", "too_few"])
    .meta({ description: "Whether the difference is significant, by Holm's correction over all three" }),
});
export type ArmComparison = z.infer<typeof ArmComparison>;

const limits = Breach.pick({ rule: true, limit: true, unit: true });

export const RolloutView = RolloutState.extend({
  limits: z.array(limits).readonly().meta({ description: "Limits beyond which live discovery is rolled back" }),
  window_seconds: z.int().meta({ description: "Length of the window that is judged" }),
  min_requests: z.int().meta({ description: "Requests in the window before the rates are judged" }),
  arms: z
    .object({
      live: ArmFigures.meta({ description: "Requests to live hosts" }),
      library: ArmFigures.meta({ description: "Requests that the roll-out did not choose" }),
    })
    .meta({ description: "Figures of the window, as far as decided since the share last rose from 0" }),
  comparison: z
    .object({
      seconds: z.int().meta({ description: "How far the comparison goes back" }),
      min_requests: z.int().meta({ description: "Requests of each arm before it is compared" }),
      metrics: z.array(ArmComparison).readonly().meta({ description: "The comparisons" }),
    })
    .meta({ description: "Both arms compared" }),
});
export type RolloutView = z.infer<typeof RolloutView>;

const Alert = z.object({
  alert: z
    .enum(["success", "fallback", "latency", "connection", "mismatch"])
    .meta({ description: "What is beyond its target" }),
  severity: z.enum(["warning", "critical"]).meta({ description: "How urgent it is" }),
  value: z.number().meta({ description: "Percent, milliseconds or answers, as the alert says" }),
  limit: z.number(),
});

/** "Event Intelligence Health": the figures of all askers. */
export const IntelligenceHealth = z.object({
  requests: requests("Requests to live hosts in the last hour"),
  success_percent: percent,
  fallback_percent: percent,
  ...quantiles,
  patterns_per_request: patterns,
  confidence,
  connection_health_percent: percent,
  last_five_minutes: z
    .object({
      requests: requests("Requests to live hosts"),
      success_percent: percent,
      fallback_percent: percent,
      p95_ms: quantiles.p95_ms,
      connection_error_percent: percent,
      timeouts: requests("Time-outs that fell back to the library"),
      mismatches: requests("Answers to another request"),
      critical: requests("Answers to another request, and answers that could not be read"),
    })
    .meta({ description: "The same, and errors, of the last five minutes" }),
  alerts: z.array(Alert).readonly().meta({ description: "What is beyond its target in the last five minutes" }),
});
export type IntelligenceHealth = z.infer<typeof IntelligenceHealth>;
