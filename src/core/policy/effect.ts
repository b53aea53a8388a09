import * as z from "zod";
import { QUEUE_NAME, QUEUE_RULE } from "../queue/task-input.ts";
import { SignalName } from "../signals/signal.ts";
import { Duration } from "./duration.ts";

/** An expression of the Common Expression Language, see expression.ts for what it may read. */
export const Expression = z.string().min(1).max(4_096);
/** Fields of an object, each an expression. */
const Fields = z.record(z.string().min(1).max(256), Expression);

/** Emits a signal whose cause is the signal that the rule decided on. */
const Emit = z.strictObject({ signal: SignalName, facts: Fields.default({}) });

/** Puts a task into a queue. Names are literal, values are expressions. */
const Enqueue = z.strictObject({
  queue: z.string().regex(QUEUE_NAME, { message: QUEUE_RULE }),
  recipient: Expression,
  type: z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._:@~-]{0,255}$/, {
    message: "a type starts with a letter or digit and holds letters, digits and . _ : @ ~ - (256 at most)",
  }),
  /** Default: the whole signal, as it is read from the log. */
  payload: Fields.optional(),
  /** 1, the most urgent, to 10; default 5. */
  priority: z.union([z.int().min(1).max(10), Expression]).optional(),
  /** The same id again is not a second task. Default: an id of this one effect. */
  task_id: Expression.optional(),
  delay: Duration.optional(),
  max_attempts: z.int().min(1).max(100).optional(),
  timeout: Duration.optional(),
  deadline: Duration.optional(),
});

/** Calls a webhook endpoint of the ecosystem by its name. */
const Webhook = z.strictObject({
  endpoint: z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/, {
    message: "a name of an endpoint starts with a letter or digit and holds letters, digits and . _ - (63 at most)",
  }),
  /** Default: the whole signal, as it is read from the log. */
  body: Fields.optional(),
});

/** Switches maintenance of the ecosystem on or off (R18). */
const SetMaintenance = z.strictObject({ enabled: z.boolean(), reason: Expression.optional() });

const one = { message: "an effect is one of emit, enqueue, webhook, maintenance" };

/** One thing that a rule does. */
export const EffectSpec = z
  .strictObject({
    emit: Emit.optional(),
    enqueue: Enqueue.optional(),
    webhook: Webhook.optional(),
    maintenance: SetMaintenance.optional(),
  })
  .refine((effect) => Object.values(effect).filter((part) => part !== undefined).length === 1, one);
export type EffectSpec = z.infer<typeof EffectSpec>;

/** An effect with its values: what is to be done, as plain data. Times are milliseconds. */
export type Effect =
  | { readonly kind: "emit"; readonly signal: string; readonly facts: Record<string, unknown> }
  | {
      readonly kind: "enqueue";
      readonly queue: string;
      readonly recipient: string;
      readonly type: string;
      readonly payload: unknown;
      readonly priority: number;
      readonly taskId?: string;
      readonly delayMs: number;
      readonly maxAttempts?: number;
      readonly timeoutMs?: number;
      readonly deadlineMs?: number;
    }
  | { readonly kind: "webhook"; readonly endpoint: string; readonly body: unknown }
  | { readonly kind: "maintenance"; readonly enabled: boolean; readonly reason: string | null };
