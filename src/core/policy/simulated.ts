import * as z from "zod";
import { Decision } from "./decision.ts";
import { Effect } from "./effect.ts";

/** A decision that a rule would have made. */
export const SimulatedDecision = z.object({
  rule: z.string(),
  rule_version: z.int(),
  signal: Decision.shape.signal,
  /** RFC 3339 */
  at: z.string(),
  outcome: Decision.shape.outcome,
  by: z.enum(["signal", "time"]),
  reason: z.string().optional(),
  values: z.record(z.string(), z.unknown()),
  effects: z.array(Effect).readonly(),
});
export type SimulatedDecision = Readonly<z.output<typeof SimulatedDecision>>;

/** How two sets of rules differ in their decision on one signal. Where a side is absent, the rule made no decision. */
export const DecisionDifference = z.object({
  rule: z.string(),
  signal: SimulatedDecision.shape.signal,
  at: z.string(),
  before: SimulatedDecision.optional(),
  after: SimulatedDecision.optional(),
});
export type DecisionDifference = Readonly<z.output<typeof DecisionDifference>>;

/** How often each rule fired, was suppressed, or failed. */
export const OutcomeCounts = z.object({ fired: z.int(), suppressed: z.int(), failed: z.int() });
export type OutcomeCounts = Readonly<z.output<typeof OutcomeCounts>>;

/** The warm-up of a simulation: how its initial state was derived. */
export const WarmUpView = z.object({
  from: z.string(),
  complete: z.boolean().meta({ description: "The warm-up reached as far back as requested, or to the oldest signal" }),
  signals: z.int(),
  decisions: z.int().meta({ description: "Recorded decisions that the warm-up followed" }),
  under_way: z
    .record(z.string(), z.int())
    .meta({ description: "State of the rules at `since`: number of rows by kind" }),
});
export type WarmUpView = Readonly<z.output<typeof WarmUpView>>;

/** The answer of a simulation. */
export const Simulated = z.object({
  signals: z.int().meta({ description: "Signals that were processed" }),
  through: z.string().nullable().meta({ description: "When the log received the last of them" }),
  truncated: z.boolean().meta({
    description:
      "The range holds more signals, or takes more steps, than one request may: ask again with `since` at `through`",
  }),
  warm_up: WarmUpView.meta({ description: "How the state of the rules at `since` was derived" }),
  outcomes: z.record(z.string(), OutcomeCounts),
  decisions: z.array(SimulatedDecision).meta({ description: "What the rule would have decided, 500 at most" }),
  differences: z
    .array(DecisionDifference)
    .meta({ description: "Decisions of any rule that would have been different, 500 at most" }),
});
export type Simulated = Readonly<z.output<typeof Simulated>>;
