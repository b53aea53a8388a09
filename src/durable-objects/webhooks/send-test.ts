import type { TestOutcome } from "../../core/webhooks/api.ts";
import { messageOf, TEST_TYPE } from "../../core/webhooks/delivery.ts";
import { classifyResponse, type EndpointResponse } from "../../core/webhooks/schedule.ts";
import { secretsOf } from "./endpoint-row.ts";
import type { WebhookMessage } from "./send.ts";
import type { EndpointRow } from "./webhook-store.ts";

/** Sends a message of type `webhook.test` once, and returns how the endpoint answered. */
export async function sendTest(
  row: EndpointRow,
  ecosystem: string,
  send: (url: string, message: WebhookMessage) => Promise<EndpointResponse>,
): Promise<TestOutcome> {
  const startedMs = Date.now();
  const body = messageOf(TEST_TYPE, JSON.stringify({ ecosystem, endpoint: row.id }), startedMs);
  const id = `test.${crypto.randomUUID()}`;
  const response = await send(row.url, { id, body, secrets: secretsOf(row, startedMs) });
  const outcome = classifyResponse(response, startedMs);
  return {
    delivered: outcome.kind === "delivered",
    ...("status" in response ? { status: response.status } : {}),
    ...("error" in outcome ? { error: outcome.error } : {}),
    duration_ms: Date.now() - startedMs,
  };
}
