import { createRoute, z } from "@hono/zod-openapi";
import { Erasure, ErasureList, ErasurePreview, ErasureRequest } from "../../../core/erasure/api.ts";
import { LIMITS } from "../../../core/signals/limits.ts";
import { signalLog } from "../../bindings/objects.ts";
import { readDocument } from "../http/body.ts";
import { EcosystemPath } from "../http/query.ts";
import { notFound } from "../http/refusal.ts";
import { json, jsonBody, newApi, problems, secured } from "../http/route.ts";
import { named } from "../http/schema-parts.ts";

const ErasureSchema = named("Erasure", Erasure);
const ErasureListSchema = named(
  "Erasures",
  ErasureList.extend({
    erasures: ErasureSchema.array()
      .readonly()
      .meta(ErasureList.shape.erasures.meta() ?? {}),
  }),
);

const begin = createRoute({
  method: "post",
  path: "/v1/{eco}/erasures",
  operationId: "eraseSource",
  summary: "Erase what a source has said",
  description:
    "Signals of the source up to now become placeholders (`Q_ERASED`) with the same sequence numbers, and so do those that the " +
    "edge emitted because of them. What follows from them goes: observations, gaps, decisions, tasks, messages of webhooks, dead " +
    "letters. Elsewhere in the ecosystem the source's name is replaced. It cannot be undone. Signals that come later stay: stop the " +
    "source before. An erasure of the same source that runs already is answered as it is. With `dry_run` nothing is changed: the " +
    "answer counts the source's signals in a part of the log; follow `next` until it is null, and add the counts up.",
  tags: ["operation"],
  ...secured("admin"),
  request: {
    params: EcosystemPath,
    body: jsonBody({
      type: "object",
      properties: {
        source: {
          type: "string",
          minLength: 1,
          maxLength: LIMITS.identifierLength,
          description: "The source, whole and as its signals name it",
        },
        dry_run: { type: "boolean", default: false },
        after: { type: "integer", minimum: 0, description: "Of a dry run: `next` of the part before" },
      },
      required: ["source"],
      additionalProperties: false,
    }),
  },
  responses: {
    200: json(named("ErasurePreview", ErasurePreview), "The count of a part of the log, of a dry run"),
    202: json(ErasureSchema, "The erasure has begun"),
    ...problems(400, 413, 415),
  },
});

const list = createRoute({
  method: "get",
  path: "/v1/{eco}/erasures",
  operationId: "listErasures",
  summary: "Erasures, and how far each has come",
  tags: ["operation"],
  ...secured("admin"),
  request: { params: EcosystemPath },
  responses: { 200: json(ErasureListSchema, "The newest first"), ...problems() },
});

const show = createRoute({
  method: "get",
  path: "/v1/{eco}/erasures/{id}",
  operationId: "getErasure",
  summary: "How far an erasure has come",
  tags: ["operation"],
  ...secured("admin"),
  request: { params: EcosystemPath.extend({ id: z.string().openapi({ description: "Id of the erasure" }) }) },
  responses: { 200: json(ErasureSchema, "The erasure"), ...problems(404) },
});

export const erasures = newApi()
  .openapi(begin, async (c) => {
    const log = signalLog(c.env, c.req.valid("param").eco);
    const { source, dry_run, after } = await readDocument(c.req.raw, ErasureRequest, "invalid-erasure");
    if (dry_run) return c.json(await log.countSource(source, after), 200);
    return c.json(await log.beginErasure(source), 202);
  })
  .openapi(list, async (c) => c.json({ erasures: await signalLog(c.env, c.req.valid("param").eco).erasures() }, 200))
  .openapi(show, async (c) => {
    const { eco, id } = c.req.valid("param");
    const erasure = (await signalLog(c.env, eco).erasures()).find((one) => one.id === id);
    if (erasure === undefined) throw notFound(`No erasure "${id}". List erasures: GET /v1/${eco}/erasures`);
    return c.json(erasure, 200);
  });
