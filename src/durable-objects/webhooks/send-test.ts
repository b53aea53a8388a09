import { messageOf, TEST_TYPE, type TestOutcome } from "../../core/webhooks/delivery.ts";
import { judge } from "../../core/webhooks/schedule.ts";
import { secretsOf } from "./endpoint-row.ts";
import { send } from "./send.ts";
import type { EndpointRow } from "./webhook-store.ts";

/** Sends a message of type `webhook.test` once, and says how the endpoint answered. */
export async function sendTest(row: EndpointRow, ecosystem: string): Promise<TestOutcome> {
  const startedMs = Date.now();
  const body = messageOf(TEST_TYPE, JSON.stringify({ ecosystem, endpoint: row.id }), startedMs);
  const answer = await send(row.url, { id: `test.${crypto.randomUUID()}`, body, secrets: secretsOf(row, startedMs) });
  const verdict = judge(answer, startedMs);
  return {
    delivered: verdict.kind === "delivered",
    ...("status" in answer ? { status: answer.status } : {}),
    ...("error" in verdict ? { error: verdict.error } : {}),
    duration_ms: Date.now() - startedMs,
  };
}
