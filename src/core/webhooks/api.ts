import * as z from "zod";
import type { FieldError } from "../problem/field-error.ts";
import { Timestamp } from "../signals/timestamp-schema.ts";
import { SettingsInput } from "./settings.ts";

/** A message for an endpoint, as the part that decided to send it hands it over. */
export const NewDelivery = z
  .object({
    id: z.string().meta({
      description: "Identifies the delivery: the same id again is not a second one. Receivers see it as `webhook-id`",
    }),
    endpoint: z.string().meta({ description: "Id of the endpoint" }),
    body: z.string().meta({ description: "JSON text: `data` of the message" }),
    type: z
      .string()
      .exactOptional()
      .meta({ description: "`type` of the message, words joined by full stops; default `rule.fired`" }),
    cause: z.string().exactOptional().meta({ description: "Id of the signal that led to the delivery" }),
    rule: z.string().exactOptional().meta({ description: "The rule that asked for the delivery" }),
    trace: z.string().exactOptional().meta({ description: "W3C traceparent that goes with the message" }),
  })
  .readonly();
export type NewDelivery = z.infer<typeof NewDelivery>;

/** An endpoint as people see it. It never holds a secret. */
export const Endpoint = z.object({
  id: z.string(),
  url: z.string().meta({
    description: "The whole URL for administrators; for others without path and query, which may hold a secret",
  }),
  enabled: z.boolean(),
  disabled_reason: z
    .literal("gone")
    .optional()
    .meta({ description: "gone: the endpoint answered 410 and was switched off for this reason" }),
  description: z.string().nullable(),
  format: SettingsInput.format.optional().meta({ description: "The form of its messages; absent: raw" }),
  template: z
    .string()
    .optional()
    .meta({ description: "The expression that makes the body; only administrators see it" }),
  header_names: z
    .array(z.string())
    .readonly()
    .optional()
    .meta({ description: "Headers of its own that each request has; their values are not shown" }),
  has_routing_key: z.boolean().optional().meta({ description: "It has an integration key of PagerDuty" }),
  topic: z.string().optional().meta({ description: "The topic of ntfy" }),
  questions: z
    .array(z.string())
    .readonly()
    .optional()
    .meta({ description: "Recipients whose questions are sent here; absent: none" }),
  handshake: z
    .object({
      allowed: z.boolean().meta({ description: "Whether the endpoint has allowed messages lately" }),
      per_minute: z
        .number()
        .nullable()
        .optional()
        .meta({ description: "Messages a minute that it allowed; null: any number" }),
      allowed_at: Timestamp.optional().meta({ description: "When it allowed them last" }),
    })
    .optional()
    .meta({ description: "The endpoint is asked before it is sent anything; absent: it is not" }),
  created_at: Timestamp,
  waiting: z.int().meta({ description: "Number of deliveries that wait for the endpoint" }),
  failing_since: Timestamp.optional().meta({ description: "The endpoint has accepted no message since this time" }),
  last_error: z.string().optional(),
  old_secret_until: Timestamp.optional().meta({
    description: "Until this time messages are also signed with the previous secret",
  }),
});
export type Endpoint = z.infer<typeof Endpoint>;

/** The field that an endpoint has beyond {@link Endpoint} in the answer to the call that made a secret. */
export const MadeSecret = z.object({
  secret: z
    .string()
    .optional()
    .meta({ description: "Only in the answer to the call that made the secret; it is not shown again" }),
});
export const EndpointWithSecret = Endpoint.extend(MadeSecret.shape);
export type EndpointWithSecret = z.infer<typeof EndpointWithSecret>;

export const Endpoints = z.object({ webhooks: z.array(Endpoint) });

/**
 * `waiting` → `delivered` | `failed`. A failed delivery is a dead letter too. `skipped`: the endpoint was switched off
 * when the delivery came.
 */
export const DeliveryState = z.enum(["waiting", "delivered", "failed", "skipped"]);
export type DeliveryState = z.infer<typeof DeliveryState>;

/** A delivery as people see it. */
export const DeliveryView = z.object({
  id: z.string().meta({ description: "The receiver sees this id as the header webhook-id" }),
  type: z.string(),
  state: DeliveryState,
  attempts: z.int(),
  accepted_at: Timestamp,
  attempted_at: Timestamp.optional().meta({ description: "Time of the last attempt" }),
  next_attempt_at: Timestamp.optional().meta({
    description: "The next attempt is not made before this time; it is made later while the endpoint fails",
  }),
  last_status: z.int().optional().meta({ description: "HTTP status of the last response" }),
  last_error: z.string().optional(),
  cause: z.string().optional().meta({ description: "Id of the signal that led to the delivery" }),
  rule: z.string().optional().meta({ description: "The rule that asked for the delivery" }),
});
export type DeliveryView = z.infer<typeof DeliveryView>;

export const Deliveries = z.object({ deliveries: z.array(DeliveryView) });

/** A delivery with the id of its endpoint. */
export interface EndpointDelivery extends DeliveryView {
  readonly endpoint: string;
}

/** The result of a test message. */
export const TestOutcome = z.object({
  delivered: z.boolean(),
  status: z.int().optional().meta({ description: "HTTP status of the response, where there was one" }),
  error: z.string().optional(),
  duration_ms: z.number(),
});
export type TestOutcome = z.infer<typeof TestOutcome>;

/** The result of adding, replacing or changing an endpoint. */
export type EndpointAnswer =
  | {
      readonly endpoint: Endpoint;
      readonly created: boolean;
      /** Only where this call made a secret; it is not shown again. */
      readonly secret?: string;
    }
  | { readonly refused: readonly FieldError[] }
  | { readonly unknown: true }
  | { readonly full: true };
