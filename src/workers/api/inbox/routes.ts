import { createRoute, z } from "@hono/zod-openapi";
import { mapErrors } from "../../../core/inbox/map-request.ts";
import {
  InboxSource,
  InboxSourceInput,
  InboxSources,
  InboxSourceWithSecret,
  MAX_SOURCES,
  SOURCE_NAME,
  SOURCE_RULE,
} from "../../../core/inbox/source.ts";
import { problem } from "../../../core/problem/problem.ts";
import { webhooks } from "../../bindings/objects.ts";
import { readDocument } from "../http/body.ts";
import { EcosystemPath } from "../http/query.ts";
import { appended } from "../http/rate-limit.ts";
import { invalid, notFound, Refusal } from "../http/refusal.ts";
import { json, jsonBody, newApi, problems, secured } from "../http/route.ts";
import { named } from "../http/schema-parts.ts";
import { AppendResultSchema } from "../signals/schemas.ts";
import { noteEcosystem } from "./door.ts";
import { receive } from "./receive.ts";

const SourceSchema = named("InboxSource", InboxSource);
const SourceWithSecretSchema = named("InboxSourceWithSecret", InboxSourceWithSecret);
const SourcesSchema = named(
  "InboxSources",
  InboxSources.extend({ sources: SourceSchema.array().openapi({ description: "Sources by name" }) }),
);

const description = { param: { description: "Name of the source" }, example: "github" };
const SourcePath = EcosystemPath.extend({ source: z.string().regex(SOURCE_NAME, SOURCE_RULE).openapi(description) });
/** What the path of a request to the inbox names is checked at its door, where all that is wrong is answered alike. */
const AnySourcePath = EcosystemPath.extend({ source: z.string().openapi(description) });
const PATH = "/v1/{eco}/inbox/{source}";

const receiveRoute = createRoute({
  method: "post",
  path: PATH,
  operationId: "receiveWebhook",
  summary: "Send a webhook of a configured source",
  description:
    "Needs the signature that the source is set to have, and no token; a source without one (`none`) needs a token with " +
    "`signals:write`. A repeated delivery is one signal. An unknown source and a wrong signature are answered alike.",
  tags: ["webhooks"],
  security: [],
  request: {
    params: AnySourcePath,
    body: { required: true, content: { "application/json": { schema: { description: "Whatever the source sends" } } } },
  },
  responses: {
    202: json(AppendResultSchema, "The signal is durable"),
    204: { description: "The source's map has no signal for such a request" },
    ...problems(400, 413),
  },
});

const list = createRoute({
  method: "get",
  path: "/v1/{eco}/inbox",
  operationId: "listInboxSources",
  summary: "List the sources whose webhooks are taken",
  tags: ["webhooks"],
  ...secured("signals:read"),
  request: { params: EcosystemPath },
  responses: { 200: json(SourcesSchema, "Sources by name, without their secrets"), ...problems() },
});

const one = createRoute({
  method: "get",
  path: PATH,
  operationId: "getInboxSource",
  summary: "One source",
  tags: ["webhooks"],
  ...secured("signals:read"),
  request: { params: SourcePath },
  responses: { 200: json(SourceSchema, "The source, without its secret"), ...problems(404) },
});

// A source lets others in, so only administrators set sources.
const put = createRoute({
  method: "put",
  path: PATH,
  operationId: "putInboxSource",
  summary: "Add or replace a source",
  description:
    "A new source gets a generated secret if none is given. The answer holds it, and no later one does. An existing source " +
    "keeps its secret unless another is given; then both are good for a day.",
  tags: ["webhooks"],
  ...secured("admin"),
  request: { params: SourcePath, body: jsonBody({ $ref: "#/components/schemas/NewInboxSource" }) },
  responses: {
    200: json(SourceWithSecretSchema, "The source was replaced"),
    201: json(SourceWithSecretSchema, "The source was added"),
    ...problems(400, 409, 413, 415),
  },
});

const remove = createRoute({
  method: "delete",
  path: PATH,
  operationId: "deleteInboxSource",
  summary: "Delete a source: what it sends is refused from now on",
  tags: ["webhooks"],
  ...secured("admin"),
  request: { params: SourcePath },
  responses: { 204: { description: "The source is deleted" }, ...problems(404) },
});

export const inbox = newApi()
  .openapi(receiveRoute, async (c) => {
    const { eco, source } = c.req.valid("param");
    const outcome = await receive(c, eco, source);
    if (outcome === null) return c.body(null, 204);
    return appended(outcome);
  })
  .openapi(list, async (c) => {
    const { eco } = c.req.valid("param");
    return c.json({ sources: await webhooks(c.env, eco).inboxSources() }, 200);
  })
  .openapi(one, async (c) => {
    const { eco, source } = c.req.valid("param");
    const found = await webhooks(c.env, eco).inboxSource(source);
    if (found === null) throw unknownSource(source);
    return c.json(found, 200);
  })
  .openapi(put, async (c) => {
    const { eco, source: name } = c.req.valid("param");
    const input = await readDocument(c.req.raw, InboxSourceInput, "invalid-inbox-source", INVALID);
    const errors = mapErrors(input);
    if (errors.length > 0) throw invalid("invalid-inbox-source", INVALID, errors);
    const answer = await webhooks(c.env, eco).putInboxSource(name, input);
    if ("full" in answer) throw full();
    await noteEcosystem(c.env, eco);
    const { source, created, secret } = answer;
    c.header("Cache-Control", "no-store");
    return c.json({ ...source, ...(secret === undefined ? {} : { secret }) }, created ? 201 : 200);
  })
  .openapi(remove, async (c) => {
    const { eco, source } = c.req.valid("param");
    if (!(await webhooks(c.env, eco).removeInboxSource(source))) throw unknownSource(source);
    return c.body(null, 204);
  });

const INVALID = "Invalid source of the inbox";

const unknownSource = (name: string) => notFound(`No source "${name}" of the inbox. List sources: GET /v1/{eco}/inbox`);

const full = () =>
  new Refusal(
    problem(
      "too-many-sources",
      409,
      "Too many sources",
      `An ecosystem has at most ${MAX_SOURCES} sources. Delete one that is no longer used.`,
    ),
  );
