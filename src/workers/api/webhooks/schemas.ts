import { z } from "@hono/zod-openapi";
import { DeliveryView, Endpoint, MadeSecret, TestOutcome } from "../../../core/webhooks/api.ts";
import { named } from "../http/schema-parts.ts";

export const EndpointSchema = named("Webhook", Endpoint);
export const EndpointWithSecretSchema = EndpointSchema.extend(MadeSecret.shape).openapi("WebhookWithSecret");
export const EndpointsSchema = z.object({ webhooks: z.array(EndpointSchema) }).openapi("Webhooks");
export const DeliveriesSchema = z.object({ deliveries: z.array(DeliveryView) }).openapi("WebhookDeliveries");
export const TestOutcomeSchema = named("WebhookTest", TestOutcome);
