import { z } from "@hono/zod-openapi";
import type { DeliveryView, TestOutcome } from "../../../core/webhooks/delivery.ts";
import type { Endpoint } from "../../../core/webhooks/endpoint.ts";
import { describes, time } from "../http/schema-parts.ts";

/** What the calls about webhooks answer, as OpenAPI shows it; held to the types of src/core at the end. */

export const EndpointSchema = z
  .object({
    id: z.string(),
    url: z.string().openapi({ description: "Whole for administrators; for others without path and query" }),
    enabled: z.boolean(),
    disabled_reason: z.literal("gone").optional().openapi({ description: "It answered 410" }),
    description: z.string().nullable(),
    created_at: time,
    waiting: z.int().openapi({ description: "Deliveries that wait for it" }),
    failing_since: time.optional(),
    last_error: z.string().optional(),
    old_secret_until: time.optional().openapi({ description: "The secret before the present one signs along" }),
  })
  .openapi("Webhook");
export const EndpointWithSecretSchema = EndpointSchema.extend({
  secret: z.string().optional().openapi({ description: "Where one was made: it is shown this once" }),
}).openapi("WebhookWithSecret");
export const EndpointsSchema = z.object({ webhooks: z.array(EndpointSchema) }).openapi("Webhooks");

export const DeliveriesSchema = z
  .object({
    deliveries: z.array(
      z.object({
        id: z.string().openapi({ description: "What the receiver sees as webhook-id" }),
        type: z.string(),
        state: z.enum(["waiting", "delivered", "failed", "skipped"]),
        attempts: z.int(),
        accepted_at: time,
        attempted_at: time.optional(),
        next_attempt_at: time.optional().openapi({ description: "Not before this; later where the endpoint fails" }),
        last_status: z.int().optional(),
        last_error: z.string().optional(),
        cause: z.string().optional(),
        rule: z.string().optional(),
      }),
    ),
  })
  .openapi("WebhookDeliveries");

export const TestOutcomeSchema = z
  .object({
    delivered: z.boolean(),
    status: z.int().optional(),
    error: z.string().optional(),
    duration_ms: z.number(),
  })
  .openapi("WebhookTest");

describes<Endpoint>()(EndpointSchema);
describes<{ deliveries: DeliveryView[] }>()(DeliveriesSchema);
describes<TestOutcome>()(TestOutcomeSchema);
