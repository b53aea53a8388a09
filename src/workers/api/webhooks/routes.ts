import { createRoute, z } from "@hono/zod-openapi";
import type { Grant } from "../../../core/access/grant.ts";
import { problem } from "../../../core/problem/problem.ts";
import type { EndpointAnswer } from "../../../core/webhooks/api.ts";
import {
  ENDPOINT_ID,
  ENDPOINT_RULE,
  type Endpoint,
  EndpointChange,
  EndpointInput,
  MAX_ENDPOINTS,
  originOf,
} from "../../../core/webhooks/endpoint.ts";
import { webhooks } from "../../objects.ts";
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
    .openapi({ param: { description: "The endpoint" }, example: "alerts" }),
});
const PATH = "/v1/{eco}/webhooks/{id}";
const body = (name: string) => jsonBody({ $ref: `#/components/schemas/${name}` });

const list = createRoute({
  method: "get",
  path: "/v1/{eco}/webhooks",
  operationId: "listWebhooks",
  summary: "Endpoints, and how they fare",
  tags: ["webhooks"],
  ...secured("signals:read"),
  request: { params: EcosystemPath },
  responses: { 200: json(EndpointsSchema, "Endpoints by id, without their secrets"), ...problems() },
});

// Where data may leave to is for administrators to say; with policy:write one says what is sent to places they named.
const put = createRoute({
  method: "put",
  path: PATH,
  operationId: "putWebhook",
  summary: "Make an endpoint, or put it anew",
  description:
    "A new endpoint gets a secret if none is given; the answer holds it, this once. An endpoint that exists keeps its " +
    "secret unless another is given, which the old one goes along with for a day.",
  tags: ["webhooks"],
  ...secured("admin"),
  request: { params: EndpointPath, body: body("NewWebhook") },
  responses: {
    200: json(EndpointWithSecretSchema, "It was there, and is now so"),
    201: json(EndpointWithSecretSchema, "It is there now"),
    ...problems(400, 409, 413, 415),
  },
});

const change = createRoute({
  method: "patch",
  path: PATH,
  operationId: "changeWebhook",
  summary: "Switch an endpoint on or off, change its URL or description",
  description: "What is not named stays as it is. Switched on, or sent elsewhere, it begins without its failures.",
  tags: ["webhooks"],
  ...secured("admin"),
  request: { params: EndpointPath, body: body("WebhookChange") },
  responses: { 200: json(EndpointSchema, "The endpoint as it is now"), ...problems(400, 404, 413, 415) },
});

const rotate = createRoute({
  method: "post",
  path: `${PATH}/secret`,
  operationId: "rotateWebhookSecret",
  summary: "Make a new secret",
  description: "For a day messages carry signatures by both. Make it again at once and only the last two count.",
  tags: ["webhooks"],
  ...secured("admin"),
  request: { params: EndpointPath },
  responses: { 200: json(EndpointWithSecretSchema, "The endpoint with its new secret, this once"), ...problems(404) },
});

const remove = createRoute({
  method: "delete",
  path: PATH,
  operationId: "deleteWebhook",
  summary: "Delete an endpoint, and what waits for it",
  tags: ["webhooks"],
  ...secured("admin"),
  request: { params: EndpointPath },
  responses: { 204: { description: "There is no such endpoint any more" }, ...problems(404) },
});

const test = createRoute({
  method: "post",
  path: `${PATH}/test`,
  operationId: "testWebhook",
  summary: "Send a test message now, and say what came of it",
  description: "Of type webhook.test, signed like any other, sent once, whether or not the endpoint is switched on.",
  tags: ["webhooks"],
  ...secured("admin"),
  request: { params: EndpointPath },
  responses: { 200: json(TestOutcomeSchema, "How it went"), ...problems(404) },
});

const deliveries = createRoute({
  method: "get",
  path: `${PATH}/deliveries`,
  operationId: "listWebhookDeliveries",
  summary: "What waits for an endpoint, and what ended lately",
  tags: ["webhooks"],
  ...secured("signals:read"),
  request: {
    params: EndpointPath,
    query: z.strictObject({ limit: wholeNumber(1, 1_200, 100, "Deliveries, newest first") }),
  },
  responses: { 200: json(DeliveriesSchema, "Newest first"), ...problems(404) },
});

export const webhookEndpoints = newApi()
  .openapi(list, async (c) => {
    const { eco } = c.req.valid("param");
    const all = await webhooks(c.env, eco).list();
    return c.json({ webhooks: all.map((endpoint) => shown(endpoint, c.get("grant"))) }, 200);
  })
  .openapi(put, async (c) => {
    const { eco, id } = c.req.valid("param");
    const wanted = await readDocument(c.req.raw, EndpointInput, "invalid-webhook");
    const { endpoint, secret, created } = taken(await webhooks(c.env, eco).put(id, wanted));
    c.header("Cache-Control", "no-store");
    return c.json({ ...endpoint, ...(secret === undefined ? {} : { secret }) }, created ? 201 : 200);
  })
  .openapi(change, async (c) => {
    const { eco, id } = c.req.valid("param");
    const wanted = await readDocument(c.req.raw, EndpointChange, "invalid-webhook");
    return c.json(taken(await webhooks(c.env, eco).change(id, wanted)).endpoint, 200);
  })
  .openapi(rotate, async (c) => {
    const { eco, id } = c.req.valid("param");
    const { endpoint, secret } = taken(await webhooks(c.env, eco).rotateSecret(id));
    c.header("Cache-Control", "no-store");
    return c.json({ ...endpoint, ...(secret === undefined ? {} : { secret }) }, 200);
  })
  .openapi(remove, async (c) => {
    const { eco, id } = c.req.valid("param");
    if (!(await webhooks(c.env, eco).remove(id))) throw noEndpoint();
    return c.body(null, 204);
  })
  .openapi(test, async (c) => {
    const { eco, id } = c.req.valid("param");
    const outcome = await webhooks(c.env, eco).ping(id);
    if (outcome === null) throw noEndpoint();
    return c.json(outcome, 200);
  })
  .openapi(deliveries, async (c) => {
    const { eco, id } = c.req.valid("param");
    const list = await webhooks(c.env, eco).deliveries(id, c.req.valid("query").limit);
    if (list === null) throw noEndpoint();
    return c.json({ deliveries: list }, 200);
  });

const noEndpoint = () => notFound("There is no endpoint of this id; GET /v1/{eco}/webhooks lists them.");

/** Paths of webhook URLs are secrets where the receiver is a chat service: only who may set them sees them. */
function shown(endpoint: Endpoint, grant: Grant): Endpoint {
  return grant.scopes.includes("admin") ? endpoint : { ...endpoint, url: originOf(endpoint.url) };
}

function taken(answer: EndpointAnswer): Extract<EndpointAnswer, { endpoint: Endpoint }> {
  if ("endpoint" in answer) return answer;
  if ("refused" in answer) throw invalid("invalid-webhook", "The endpoint cannot be so", answer.refused);
  if ("unknown" in answer) throw noEndpoint();
  const detail = `An ecosystem has ${MAX_ENDPOINTS} endpoints at most: delete one that is no longer used.`;
  throw new Refusal(problem("too-many-webhooks", 409, "There are too many endpoints", detail));
}
