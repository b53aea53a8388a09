import { z } from "@hono/zod-openapi";
import type { AppendResult } from "../../../core/signals/api.ts";
import type { Signal } from "../../../core/signals/signal.ts";
import { describes, facts, seq, time } from "../http/schema-parts.ts";

export const SignalSchema = z
  .object({
    seq: seq.openapi({ description: "Place in the ecosystem's log, from 1" }),
    id: z.string(),
    signal: z.string().openapi({ example: "Q_DREAM_TRIGGER" }),
    source: z.string(),
    ecosystem: z.string(),
    timestamp: time.openapi({ description: "When it happened, as its sender says" }),
    received_at: time.openapi({ description: "When the log took it" }),
    facts,
    cause: z.string().optional().openapi({ description: "Id of the signal that led to this one" }),
    trace: z.string().optional().openapi({ description: "W3C traceparent" }),
    depth: z.int().optional().openapi({ description: "Length of the chain of causes, where it is known" }),
  })
  .openapi("Signal");

export const SignalPageSchema = z
  .object({
    signals: z.array(SignalSchema),
    next: z.int().nullable().openapi({
      description:
        "Give it as `after` for the next page; null: nothing more for now. A page may be short and still go on.",
    }),
  })
  .openapi("SignalPage");

export const AppendResultSchema = z
  .object({
    first_seq: z.int().nullable(),
    last_seq: z.int().nullable(),
    accepted: z.int(),
    duplicates: z.int().openapi({ description: "Signals that the log had already, counted and not kept twice" }),
    ids: z.array(z.string()).readonly().openapi({ description: "In the order of the request" }),
  })
  .openapi("AppendResult");

describes<Signal>()(SignalSchema);
describes<AppendResult>()(AppendResultSchema);
