import * as z from "zod";
import { DeadLetter } from "../dead-letters/dead-letter.ts";
import { Decision } from "../policy/decision.ts";
import { Accept, Verifying } from "../queue/accept.ts";
import { Signal, Via } from "../signals/signal.ts";
import { Timestamp } from "../signals/timestamp-schema.ts";

/** A task of a chain of signals and its state. */
export const ChainTask = z.object({
  queue: z.string(),
  task_id: z.string(),
  /** Id of the signal that led to the task. */
  cause: z.string(),
  /** The rule that enqueued the task, where a rule did. */
  rule: z.string().optional(),
  status: z.enum(["queued", "running", "verifying", "complete", "failed", "unknown"]).meta({
    description: "unknown: the task ended more than a day ago, or its queue was full and did not accept it",
  }),
  outcome: z.string().optional(),
  recipient: z.string().optional(),
  type: z.string().optional(),
  attempt: z.int().optional(),
  worker: z.string().optional(),
  error: z.string().optional(),
  accept: Accept.optional().meta({ description: "How the task proves that it is done; absent: its worker says so" }),
  verifying: Verifying.optional().meta({ description: "Its worker reported it complete, and it waits to be judged" }),
  parked_reason: z.string().optional().meta({ description: "Why nobody is given the task, whose limits are closed" }),
  unplaced: z.string().optional().meta({ description: "Why no worker is given the task, which needs something" }),
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

/** A signal that a rule of a chain forwarded to another ecosystem. */
export const ChainForward = z.object({
  forward_id: z.string(),
  ecosystem: z.string(),
  signal: z.string(),
  /** Id of the signal that was forwarded. */
  cause: z.string(),
  rule: z.string(),
  state: z.enum(["arrived", "refused", "unknown", "unreadable"]).meta({
    description:
      "unknown: the log there does not hold it, because it is on its way or the retention dropped it; unreadable: the " +
      "token may not read signals there",
  }),
  seq: z.int().optional().meta({ description: "Its sequence number there", example: 42 }),
  refused: z.string().optional(),
});
export type ChainForward = Readonly<z.infer<typeof ChainForward>>;

/** The part of a chain that lies in an ecosystem from which the chain was forwarded. */
export const UpstreamChain = z.object({
  ecosystem: z.string(),
  via: Via.meta({ description: "The signal that was forwarded from there" }),
  readable: z.boolean().meta({ description: "Whether the token may read signals there; false: the rest is left out" }),
  signals: z.array(Signal).readonly().meta({ description: "From the first cause there to the forwarded signal" }),
  missing_cause: z.string().optional(),
  decisions: z.array(Decision).readonly(),
});
export type UpstreamChain = Readonly<z.infer<typeof UpstreamChain>>;

/** The causes and the effects of a signal. */
export const Lineage = z.object({
  signal: Signal,
  causes: z.array(Signal).readonly().meta({ description: "Signals that led to this signal, the first cause first" }),
  missing_cause: z
    .string()
    .optional()
    .meta({ description: "Id that the first of the chain names as its cause and that the log does not hold" }),
  effects: z
    .array(Signal)
    .readonly()
    .meta({ description: "Direct and indirect effects of the signal, in the order of the log" }),
  decisions: z.array(Decision).readonly().meta({ description: "Decisions of rules on these signals" }),
  tasks: z.array(ChainTask).readonly().meta({
    description:
      "Tasks that rules enqueued, and tasks whose end or dead letter names one of these signals as its cause",
  }),
  deliveries: z
    .array(ChainDelivery)
    .readonly()
    .meta({ description: "Webhook deliveries that rules started on these signals" }),
  dead_letters: z.array(DeadLetter).readonly(),
  forwards: z.array(ChainForward).readonly().optional().meta({
    description: "Signals that rules forwarded to other ecosystems; absent: none",
  }),
  upstream: z.array(UpstreamChain).readonly().optional().meta({
    description: "Where the chain came from, through other ecosystems, the nearest first; absent: it began here",
  }),
  truncated: z
    .boolean()
    .meta({ description: "The lineage is incomplete: it grew too large, or the search took too long" }),
});
export type Lineage = Readonly<z.infer<typeof Lineage>>;
