import { Deliveries, Endpoint, Endpoints, EndpointWithSecret, TestOutcome } from "../../../core/webhooks/api.ts";
import { named } from "../http/schema-parts.ts";

export const EndpointSchema = named("Webhook", Endpoint);
export const EndpointWithSecretSchema = named("WebhookWithSecret", EndpointWithSecret);
export const EndpointsSchema = named("Webhooks", Endpoints.extend({ webhooks: EndpointSchema.array() }));
export const DeliveriesSchema = named("WebhookDeliveries", Deliveries);
export const TestOutcomeSchema = named("WebhookTest", TestOutcome);
