import * as z from "zod";
import type { DeadLetter } from "../dead-letters/dead-letter.ts";
import type { Decision } from "../policy/decision.ts";
import type { Signal } from "../signals/signal.ts";
import { Timestamp } from "../signals/timestamp.ts";

/** A task of a chain of signals and its state. */
export const ChainTask = z.object({
  queue: z.string(),
  task_id: z.string(),
  /** Id of the signal that led to the task. */
  cause: z.string(),
  /** The rule that enqueued the task, where a rule did. */
  rule: z.string().optional(),
  status: z.enum(["queued", "running", "complete", "failed", "unknown"]).meta({
    description: "unknown: the task ended more than a day ago, or its queue was full and did not accept it",
  }),
  outcome: z.string().optional(),
  recipient: z.string().optional(),
  type: z.string().optional(),
  attempt: z.int().optional(),
  worker: z.string().optional(),
  error: z.string().optional(),
});
export type ChainTask = Readonly<z.infer<typeof ChainTask>>;

/** A webhook delivery of a chain of signals and its state. */
export const ChainDelivery = z.object({
  delivery_id: z.string(),
  endpoint: z.string(),
  /** Id of the signal that led to the delivery. */
  cause: z.string(),
  rule: z.string(),
  state: z.enum(["waiting", "delivered", "failed", "skipped", "unknown"]).meta({
    description: "failed: given up, see its dead letter; unknown: the endpoint is unknown, or its record has expired",
  }),
  attempts: z.int().optional(),
  last_status: z.int().optional(),
  last_error: z.string().optional(),
  next_attempt_at: Timestamp.optional(),
});
export type ChainDelivery = Readonly<z.infer<typeof ChainDelivery>>;

/** The causes and the effects of a signal. */
export interface Lineage {
  readonly signal: Signal;
  /** The first cause comes first. */
  readonly causes: readonly Signal[];
  /** Id that the first of `causes`, or the signal itself, names as its cause and that the log does not hold. */
  readonly missing_cause?: string | undefined;
  /** Direct and indirect effects in the order of the log; `cause` of each is the id of the signal that led to it. */
  readonly effects: readonly Signal[];
  /** Decisions of rules on these signals. */
  readonly decisions: readonly Decision[];
  /** Tasks that rules enqueued, and tasks whose end or dead letter names one of these signals as its cause. */
  readonly tasks: readonly ChainTask[];
  /** Webhook deliveries that rules started. */
  readonly deliveries: readonly ChainDelivery[];
  readonly dead_letters: readonly DeadLetter[];
  /** The lineage is incomplete: it grew too large, or the search took too long. */
  readonly truncated: boolean;
}
