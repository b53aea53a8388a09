import { createRoute, z } from "@hono/zod-openapi";
import { signalLog } from "../../bindings/objects.ts";
import { nextLink } from "../http/next-link.ts";
import { EcosystemPath, pageCursor, wholeNumber, words } from "../http/query.ts";
import { notFound } from "../http/refusal.ts";
import { json, newApi, problems, secured } from "../http/route.ts";
import { ProducerPageSchema } from "./schemas.ts";

const listProducers = createRoute({
  method: "get",
  path: "/v1/{eco}/producers",
  operationId: "listProducers",
  summary: "List the producers whose numbers the log knows",
  tags: ["signals"],
  ...secured("signals:read"),
  request: {
    params: EcosystemPath,
    query: z.strictObject({
      host: words("Only producers of this host"),
      after: pageCursor,
      limit: wholeNumber(1, 1_000, 100, "Producers in a page"),
    }),
  },
  responses: { 200: json(ProducerPageSchema, "One page"), ...problems() },
});

const forgetProducer = createRoute({
  method: "delete",
  path: "/v1/{eco}/producers/{producer}",
  operationId: "forgetProducer",
  summary: "Take the next number of a producer for its first",
  description:
    "Repairs a producer whose last number is wrong. Signals that it sends again although the log holds them are then " +
    "stored a second time.",
  tags: ["signals"],
  ...secured("admin"),
  request: { params: EcosystemPath.extend({ producer: z.string().min(1).max(256) }) },
  responses: { 204: { description: "The producer begins anew" }, ...problems(404) },
});

export const producers = newApi()
  .openapi(listProducers, async (c) => {
    const { eco } = c.req.valid("param");
    const { host, after = "", limit } = c.req.valid("query");
    const page = await signalLog(c.env, eco).producers(host, after, limit);
    const next = page.length < limit ? null : (page.at(-1)?.producer ?? null);
    return c.json({ producers: page, next }, 200, nextLink(c.req.url, next));
  })
  .openapi(forgetProducer, async (c) => {
    const { eco, producer } = c.req.valid("param");
    if (!(await signalLog(c.env, eco).forgetProducer(producer)))
      throw notFound(`No producer "${producer}". List producers: GET /v1/${eco}/producers`);
    return c.body(null, 204);
  });
