import { env } from "cloudflare:workers";
import { inject } from "vitest";
import { webhooks } from "../../../src/workers/bindings/objects.ts";
import type { ReceivedMessage } from "../../provided-context.ts";
import { call, freshEcosystem, post } from "../api/calls.ts";

export const webhooksStub = (ecosystem: string) => webhooks(env, ecosystem);

export interface MadeEndpoint {
  id: string;
  url: string;
  secret: string;
  enabled: boolean;
  waiting: number;
  failing_since?: string;
  last_error?: string;
  disabled_reason?: string;
}
export interface Listed {
  id: string;
  state: string;
  attempts: number;
  last_status?: number;
  last_error?: string;
  next_attempt_at?: string;
}

/** An ecosystem with webhooks, as administrators and receivers see it. */
export function webhooksOf(ecosystem = freshEcosystem()) {
  const base = `/v1/${ecosystem}/webhooks`;
  const json = async <Body>(response: Promise<Response>) => (await (await response).json()) as Body;
  return {
    ecosystem,
    stub: () => webhooksStub(ecosystem),
    put: (id: string, body: object) => post(`${base}/${id}`, body, { method: "PUT" }),
    /** @param answers - the receiver's responses, see webhook-receiver.ts */
    add: (id: string, answers: string, more: object = {}) =>
      json<MadeEndpoint>(
        post(
          `${base}/${id}`,
          { url: `${inject("receiver")}/${boxOf(ecosystem, id)}/${answers}`, ...more },
          { method: "PUT" },
        ),
      ),
    change: (id: string, body: object) => post(`${base}/${id}`, body, { method: "PATCH" }),
    list: async () => (await json<{ webhooks: MadeEndpoint[] }>(call(base))).webhooks,
    deliveries: async (id: string) =>
      (await json<{ deliveries: Listed[] }>(call(`${base}/${id}/deliveries`))).deliveries,
    /** Waits until `count` messages have arrived. */
    received: (id: string, count: number) =>
      json<ReceivedMessage[]>(fetch(`${inject("receiver")}/${boxOf(ecosystem, id)}?count=${count}`)),
  };
}

const boxOf = (ecosystem: string, id: string) => `${ecosystem}.${id}`;

export const aDelivery = (id: string, endpoint: string, data: unknown = { n: 1 }) => ({
  id,
  endpoint,
  body: JSON.stringify(data),
});
