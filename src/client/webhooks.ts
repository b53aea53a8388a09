import { Deliveries, Endpoint, Endpoints, EndpointWithSecret, TestOutcome } from "../core/webhooks/api.ts";
import type { EndpointChange, EndpointInput } from "../core/webhooks/endpoint.ts";
import { NoAnswer } from "./answers/no-answer.ts";
import type { CallEdge } from "./http/request.ts";

interface Calls {
  readonly call: CallEdge;
  readonly inside: (path: string) => string;
}

/** The form of an endpoint's messages, and what the endpoint wants beside them. */
type Settings = Pick<
  EndpointInput,
  "format" | "template" | "headers" | "routing_key" | "topic" | "handshake" | "questions"
>;

export interface NewEndpoint extends Settings {
  readonly url: string;
  readonly enabled?: boolean | undefined;
  readonly description?: string | null | undefined;
  readonly secret?: string | undefined;
}

/** Time limit of a test call in milliseconds: an endpoint has 15 s for its response, plus the network. */
const TEST_MS = 20_000;

export function webhookCalls({ call, inside }: Calls) {
  const at = (id: string, path = "") => inside(`/webhooks/${encodeURIComponent(id)}${path}`);
  return {
    list: async () => (await call(Endpoints, { path: inside("/webhooks") })).webhooks,
    /** The answer holds a generated secret; it is not shown again. */
    put: (id: string, endpoint: NewEndpoint) =>
      call(EndpointWithSecret, { method: "PUT", path: at(id), body: endpoint }),
    /** A field that is absent keeps its value. */
    change: (id: string, change: EndpointChange) => call(Endpoint, { method: "PATCH", path: at(id), body: change }),
    /** The answer holds the new secret; it is not shown again. Messages are signed with both for a day. */
    rotateSecret: (id: string) => call(EndpointWithSecret, { method: "POST", path: at(id, "/secret") }),
    remove: (id: string) => call(NoAnswer, { method: "DELETE", path: at(id) }),
    test: (id: string) => call(TestOutcome, { method: "POST", path: at(id, "/test"), timeoutMs: TEST_MS }),
    deliveries: async (id: string, limit = 100) =>
      (await call(Deliveries, { path: at(id, "/deliveries"), query: { limit } })).deliveries,
  };
}
