import { createRoute, z } from "@hono/zod-openapi";
import type { Grant } from "../../../core/access/grant.ts";
import { problem } from "../../../core/problem/problem.ts";
import type { Endpoint, EndpointAnswer } from "../../../core/webhooks/api.ts";
import {
  ENDPOINT_ID,
  ENDPOINT_RULE,
  EndpointChange,
  EndpointInput,
  MAX_ENDPOINTS,
  originOf,
} from "../../../core/webhooks/endpoint.ts";
import { webhooks } from "../../bindings/objects.ts";
import { readDocument } from "../http/body.ts";
import { EcosystemPath, wholeNumber } from "../http/query.ts";
import { invalid, notFound, Refusal } from "../http/refusal.ts";
import { json, jsonBody, newApi, problems, secured } from "../http/route.ts";
import {
  DeliveriesSchema,
  EndpointSchema,
  EndpointsSchema,
  EndpointWithSecretSchema,
  TestOutcomeSchema,
} from "./schemas.ts";

const EndpointPath = EcosystemPath.extend({
  id: z
    .string()
    .regex(ENDPOINT_ID, ENDPOINT_RULE)
    .openapi({ param: { description: "Id of the endpoint" }, example: "alerts" }),
});
const PATH = "/v1/{eco}/webhooks/{id}";
const body = (name: string) => jsonBody({ $ref: `#/components/schemas/${name}` });

const list = createRoute({
  method: "get",
  path: "/v1/{eco}/webhooks",
  operationId: "listWebhooks",
  summary: "List webhook endpoints with their state",
  tags: ["webhooks"],
  ...secured("signals:read"),
  request: { params: EcosystemPath },
  responses: { 200: json(EndpointsSchema, "Endpoints sorted by id, without their secrets"), ...problems() },
});

// Endpoints decide where data may leave to, so only administrators set them. The scope policy:write decides what is sent
// to the endpoints that exist.
const put = createRoute({
  method: "put",
  path: PATH,
  operationId: "putWebhook",
  summary: "Add or replace an endpoint",
  description:
    "A new endpoint gets a generated secret if none is given. The answer holds it, and no later one does. An existing " +
    "endpoint keeps its secret unless another is given; then messages are signed with both for a day.",
  tags: ["webhooks"],
  ...secured("admin"),
  request: { params: EndpointPath, body: body("NewWebhook") },
  responses: {
    200: json(EndpointWithSecretSchema, "The endpoint was replaced"),
    201: json(EndpointWithSecretSchema, "The endpoint was added"),
    ...problems(400, 409, 413, 415),
  },
});

const change = createRoute({
  method: "patch",
  path: PATH,
  operationId: "changeWebhook",
  summary: "Switch an endpoint on or off, change its URL, description, or the form of its messages",
  description:
    "A field that is absent keeps its value. Switching the endpoint on, or changing its URL, clears its failures.",
  tags: ["webhooks"],
  ...secured("admin"),
  request: { params: EndpointPath, body: body("WebhookChange") },
  responses: { 200: json(EndpointSchema, "The changed endpoint"), ...problems(400, 404, 413, 415) },
});

const rotate = createRoute({
  method: "post",
  path: `${PATH}/secret`,
  operationId: "rotateWebhookSecret",
  summary: "Generate a new secret",
  description:
    "Messages are signed with the old and the new secret for a day. Only the last two secrets are ever valid.",
  tags: ["webhooks"],
  ...secured("admin"),
  request: { params: EndpointPath },
  responses: {
    200: json(EndpointWithSecretSchema, "The endpoint with its new secret, which is not shown again"),
    ...problems(404),
  },
});

const remove = createRoute({
  method: "delete",
  path: PATH,
  operationId: "deleteWebhook",
  summary: "Delete an endpoint; the deliveries that wait for it become dead letters",
  tags: ["webhooks"],
  ...secured("admin"),
  request: { params: EndpointPath },
  responses: { 204: { description: "The endpoint is deleted" }, ...problems(404) },
});

const test = createRoute({
  method: "post",
  path: `${PATH}/test`,
  operationId: "testWebhook",
  summary: "Send a test message now and return its result",
  description:
    "The message has the type webhook.test and is signed. It is sent once, even to an endpoint that is switched off.",
  tags: ["webhooks"],
  ...secured("admin"),
  request: { params: EndpointPath },
  responses: { 200: json(TestOutcomeSchema, "The result"), ...problems(404) },
});

const deliveries = createRoute({
  method: "get",
  path: `${PATH}/deliveries`,
  operationId: "listWebhookDeliveries",
  summary: "List the waiting and the recently ended deliveries of an endpoint",
  tags: ["webhooks"],
  ...secured("signals:read"),
  request: {
    params: EndpointPath,
    query: z.strictObject({ limit: wholeNumber(1, 1_200, 100, "Deliveries, newest first") }),
  },
  responses: { 200: json(DeliveriesSchema, "Deliveries, newest first"), ...problems(404) },
});

export const webhookEndpoints = newApi()
  .openapi(list, async (c) => {
    const { eco } = c.req.valid("param");
    const all = await webhooks(c.env, eco).list();
    return c.json({ webhooks: all.map((endpoint) => shown(endpoint, c.get("grant"))) }, 200);
  })
  .openapi(put, async (c) => {
    const { eco, id } = c.req.valid("param");
    const input = await readDocument(c.req.raw, EndpointInput, "invalid-webhook", INVALID);
    const { endpoint, secret, created } = accepted(
      id,
      await webhooks(c.env, eco).put(id, input, originOfRequest(c.req.url)),
    );
    c.header("Cache-Control", "no-store");
    return c.json({ ...endpoint, ...(secret === undefined ? {} : { secret }) }, created ? 201 : 200);
  })
  .openapi(change, async (c) => {
    const { eco, id } = c.req.valid("param");
    const input = await readDocument(c.req.raw, EndpointChange, "invalid-webhook", INVALID);
    return c.json(accepted(id, await webhooks(c.env, eco).change(id, input, originOfRequest(c.req.url))).endpoint, 200);
  })
  .openapi(rotate, async (c) => {
    const { eco, id } = c.req.valid("param");
    const { endpoint, secret } = accepted(id, await webhooks(c.env, eco).rotateSecret(id));
    c.header("Cache-Control", "no-store");
    return c.json({ ...endpoint, ...(secret === undefined ? {} : { secret }) }, 200);
  })
  .openapi(remove, async (c) => {
    const { eco, id } = c.req.valid("param");
    if (!(await webhooks(c.env, eco).remove(id))) throw unknownEndpoint(id);
    return c.body(null, 204);
  })
  .openapi(test, async (c) => {
    const { eco, id } = c.req.valid("param");
    const outcome = await webhooks(c.env, eco).ping(id);
    if (outcome === null) throw unknownEndpoint(id);
    return c.json(outcome, 200);
  })
  .openapi(deliveries, async (c) => {
    const { eco, id } = c.req.valid("param");
    const list = await webhooks(c.env, eco).deliveries(id, c.req.valid("query").limit);
    if (list === null) throw unknownEndpoint(id);
    return c.json({ deliveries: list }, 200);
  });

const originOfRequest = (url: string): string => new URL(url).origin;

const INVALID = "Invalid webhook endpoint";

const unknownEndpoint = (id: string) => notFound(`No webhook endpoint "${id}". List endpoints: GET /v1/{eco}/webhooks`);

/** The path of a webhook URL is a secret where the receiver is a chat service: only administrators see it, and templates. */
function shown(endpoint: Endpoint, grant: Grant): Endpoint {
  if (grant.scopes.includes("admin")) return endpoint;
  const { template: _, ...open } = endpoint;
  return { ...open, url: originOf(endpoint.url) };
}

function accepted(id: string, answer: EndpointAnswer): Extract<EndpointAnswer, { endpoint: Endpoint }> {
  if ("endpoint" in answer) return answer;
  if ("refused" in answer) throw invalid("invalid-webhook", INVALID, answer.refused);
  if ("unknown" in answer) throw unknownEndpoint(id);
  const detail = `An ecosystem has at most ${MAX_ENDPOINTS} webhook endpoints. Delete one that is no longer used.`;
  throw new Refusal(problem("too-many-webhooks", 409, "Too many webhook endpoints", detail));
}
