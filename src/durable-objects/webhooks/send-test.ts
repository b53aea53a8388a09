import type { TestOutcome } from "../../core/webhooks/api.ts";
import { messageOf, TEST_TYPE } from "../../core/webhooks/delivery.ts";
import { classifyResponse, type EndpointResponse } from "../../core/webhooks/schedule.ts";
import type { EndpointRow, SentMessage } from "./webhook-store.ts";

/** Sends a message of type `webhook.test` once, and returns how the endpoint answered. */
export async function sendTest(
  row: EndpointRow,
  ecosystem: string,
  send: (message: SentMessage) => Promise<EndpointResponse>,
): Promise<TestOutcome> {
  const startedMs = Date.now();
  const message = messageOf(TEST_TYPE, JSON.stringify({ ecosystem, endpoint: row.id }), startedMs);
  const id = `test.${crypto.randomUUID()}`;
  const response = await send({ id, type: TEST_TYPE, message, cause: null, rule: null, trace: null });
  const outcome = classifyResponse(response, startedMs);
  return {
    delivered: outcome.kind === "delivered",
    ...("status" in response ? { status: response.status } : {}),
    ...("error" in outcome ? { error: outcome.error } : {}),
    duration_ms: Date.now() - startedMs,
  };
}
