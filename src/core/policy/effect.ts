import * as z from "zod";
import { Accept } from "../queue/accept.ts";
import { readQueueAddress } from "../queue/queue-address.ts";
import { NeedsInput, QUEUE_NAME, QUEUE_RULE, TaskLimits } from "../queue/task-input.ts";
import { ECOSYSTEM_NAME, EcosystemName, SignalName, Via } from "../signals/signal.ts";
import { Duration } from "./duration.ts";

const isQueueAddress = (text: string): boolean => {
  const { ecosystem, queue } = readQueueAddress(text, "own");
  return ECOSYSTEM_NAME.test(ecosystem) && QUEUE_NAME.test(queue);
};

/** An expression of the Common Expression Language; expression.ts lists the variables that it may read. */
export const Expression = z.string().min(1).max(4_096);
/** Fields of an object, each an expression. */
const Fields = z.record(z.string().min(1).max(256), Expression);

/** Emits a signal whose cause is the signal that the rule decided on. */
const Emit = z.strictObject({ signal: SignalName, facts: Fields.default({}) });

/** Enqueues a task. Names are literal, values are expressions. */
const Enqueue = z.strictObject({
  /** A queue of the ecosystem, or, as `<ecosystem>/<queue>`, of another. */
  queue: z
    .string()
    .refine(isQueueAddress, { message: `${QUEUE_RULE}; a queue of another ecosystem is <ecosystem>/<queue>` }),
  recipient: Expression,
  type: z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._:@~-]{0,255}$/, {
    message: "a type starts with a letter or digit and holds letters, digits and . _ : @ ~ - (256 at most)",
  }),
  /** Default: the whole signal, as the log holds it. */
  payload: Fields.optional(),
  /** 1, the most urgent, to 10; default 5. */
  priority: z.union([z.int().min(1).max(10), Expression]).optional(),
  /** A second task of the same id is dropped. Default: an id that belongs to this one effect. */
  task_id: Expression.optional(),
  /** What a worker must have to be given the task. */
  needs: NeedsInput.optional(),
  /** How the task proves that it is done. Its rule is not the rule's own: it reads task, result and evidence. */
  accept: Accept.optional(),
  limits: TaskLimits.optional(),
  delay: Duration.optional(),
  max_attempts: z.int().min(1).max(100).optional(),
  timeout: Duration.optional(),
  deadline: Duration.optional(),
});

/** Sends a message to a webhook endpoint of the ecosystem, by the name of the endpoint. */
const Webhook = z.strictObject({
  endpoint: z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/, {
    message: "the name of an endpoint starts with a letter or digit and holds letters, digits and . _ - (63 at most)",
  }),
  /** Default: the whole signal, as the log holds it. */
  body: Fields.optional(),
  /** Sent only where the endpoint exists: the rule may be saved without it, and its messages are counted until then. */
  optional: z.boolean().exactOptional(),
});

/** Switches maintenance of the ecosystem on or off. */
const SetMaintenance = z.strictObject({ enabled: z.boolean(), reason: Expression.optional() });

/** Appends the signal to the log of another ecosystem, once. */
const Forward = z.strictObject({
  ecosystem: EcosystemName,
  /** Name that the signal has there. Default: its own. */
  signal: SignalName.optional(),
});

/** Answers a question to people, where nobody has answered it yet. */
const Answer = z.strictObject({
  answer: Expression,
  /** Id of the question. Default: the question that the signal tells of. */
  question: Expression.optional(),
  /** What the asker should know beside it. */
  comment: Expression.optional(),
});

/** One effect of a rule, as people write it. */
export const EffectSpec = z
  .strictObject({
    emit: Emit.optional(),
    enqueue: Enqueue.optional(),
    webhook: Webhook.optional(),
    maintenance: SetMaintenance.optional(),
    forward: Forward.optional(),
    answer: Answer.optional(),
  })
  .refine((effect) => Object.values(effect).filter((part) => part !== undefined).length === 1, {
    message: "an effect is one of emit, enqueue, webhook, maintenance, forward, answer",
  });
export type EffectSpec = z.infer<typeof EffectSpec>;

/** An effect with its values, as plain data. Times are milliseconds. */
export const Effect = z.discriminatedUnion("kind", [
  z.object({ kind: z.literal("emit"), signal: z.string(), facts: z.record(z.string(), z.unknown()) }),
  z.object({
    kind: z.literal("enqueue"),
    queue: z.string(),
    recipient: z.string(),
    type: z.string(),
    payload: z.unknown(),
    priority: z.number(),
    taskId: z.string().optional(),
    delayMs: z.number(),
    maxAttempts: z.number().optional(),
    timeoutMs: z.number().optional(),
    deadlineMs: z.number().optional(),
    needs: z.array(z.string()).optional(),
    accept: Accept.optional(),
    /** Of the ecosystem whose queue it is. */
    limits: z.array(z.string()).optional(),
  }),
  z.object({
    kind: z.literal("webhook"),
    endpoint: z.string(),
    body: z.unknown(),
    optional: z.literal(true).exactOptional(),
  }),
  z.object({ kind: z.literal("maintenance"), enabled: z.boolean(), reason: z.string().nullable() }),
  z.object({
    kind: z.literal("answer"),
    question: z.string(),
    answer: z.string(),
    comment: z.string().nullable(),
  }),
  z.object({
    kind: z.literal("forward"),
    ecosystem: z.string(),
    signal: z.string(),
    facts: z.record(z.string(), z.unknown()),
    timestamp: z.string(),
    via: Via,
  }),
]);
export type Effect = Readonly<z.infer<typeof Effect>>;
