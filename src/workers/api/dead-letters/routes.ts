import { createRoute, z } from "@hono/zod-openapi";
import type { BulkQuery } from "../../../core/dead-letters/api.ts";
import type { DeadLetterFilter } from "../../../core/dead-letters/filter.ts";
import { DEAD_LETTER_KINDS } from "../../../core/dead-letters/record.ts";
import { deadLetters } from "../../objects.ts";
import { readDocument } from "../http/body.ts";
import { EcosystemPath, pageCursor, patterns, time, wholeNumber, words } from "../http/query.ts";
import { notFound, Refusal } from "../http/refusal.ts";
import { json, jsonBody, newApi, problems, secured } from "../http/route.ts";
import { BULK_LIMIT, BulkRequest, ReplayRequest } from "./requests.ts";
import { BulkAnswerSchema, DeadLetterSchema, DeadLettersSchema, ReplayedSchema } from "./schemas.ts";

const LetterPath = EcosystemPath.extend({
  id: z
    .string()
    .min(1)
    .max(1_024)
    .openapi({ param: { description: "The letter's id, percent-encoded" } }),
});

const listDeadLetters = createRoute({
  method: "get",
  path: "/v1/{eco}/dead-letters",
  operationId: "listDeadLetters",
  summary: "What could not be processed, and why",
  description:
    "Newest first. A page may be short, or empty, and still go on: what is looked through for one is bounded.",
  tags: ["dead letters"],
  ...secured("signals:read"),
  request: {
    params: EcosystemPath,
    query: z.strictObject({
      kind: z
        .enum(DEAD_LETTER_KINDS, { error: `give one of ${DEAD_LETTER_KINDS.join(", ")}` })
        .optional()
        .openapi({ param: { required: false } }),
      daemon: words("Who gave up on it; * stands for anything"),
      signal: patterns,
      host: words("The host on which it lies"),
      since: time("Failed last at this time or later"),
      until: time("Failed last before this time"),
      text: words("Stands somewhere in the letter"),
      limit: wholeNumber(1, 1_000, 100, "Dead letters in a page"),
      after: pageCursor,
    }),
  },
  responses: { 200: json(DeadLettersSchema, "One page"), ...problems() },
});

const getDeadLetter = createRoute({
  method: "get",
  path: "/v1/{eco}/dead-letters/{id}",
  operationId: "getDeadLetter",
  summary: "One dead letter",
  description: "Also one that was replayed: it is kept for 30 days after it failed last, and says what came of it.",
  tags: ["dead letters"],
  ...secured("signals:read"),
  request: { params: LetterPath },
  responses: { 200: json(DeadLetterSchema, "The letter"), ...problems(404) },
});

// A replay can do whatever the thing that failed could: it is for administrators.
const replay = createRoute({
  method: "post",
  path: "/v1/{eco}/dead-letters/{id}/replay",
  operationId: "replayDeadLetter",
  summary: "Send a dead letter the normal way again",
  description:
    "Under its own id, so that what did happen does not happen again; asking twice is safe. A signal that the log " +
    "refused may be mended: give it as `signal`. What fails again stays as it is, with one attempt more.",
  tags: ["dead letters"],
  ...secured("admin"),
  request: {
    params: LetterPath,
    body: jsonBody(
      {
        type: "object",
        properties: { signal: { $ref: "#/components/schemas/NewSignal" } },
        additionalProperties: false,
      },
      false,
    ),
  },
  responses: {
    200: json(ReplayedSchema, "It is done, or on its way"),
    ...problems(400, 404, 409, 413, 415, 429, 502, 504),
  },
});

const bulk = (action: "replay" | "discard", summary: string) =>
  createRoute({
    method: "post",
    path: `/v1/{eco}/dead-letters/${action}`,
    operationId: `${action}DeadLetters`,
    summary,
    description:
      "One page, the oldest first; go on with `next` until it is null. Unless `dry_run` is false it only shows what " +
      "would be done.",
    tags: ["dead letters"],
    ...secured("admin"),
    request: {
      params: EcosystemPath,
      body: jsonBody({
        type: "object",
        properties: {
          filter: { $ref: "#/components/schemas/DeadLetterFilter" },
          dry_run: { type: "boolean", default: true },
          limit: { type: "integer", minimum: 1, maximum: BULK_LIMIT, default: BULK_LIMIT },
          after: { type: "string" },
        },
        required: ["filter"],
        additionalProperties: false,
      }),
    },
    responses: { 200: json(BulkAnswerSchema, "What was done, or would be"), ...problems(400, 413, 415) },
  });
const replayMany = bulk("replay", "Replay dead letters by a filter");
const discardMany = bulk("discard", "Discard dead letters by a filter");

const discard = createRoute({
  method: "delete",
  path: "/v1/{eco}/dead-letters/{id}",
  operationId: "discardDeadLetter",
  summary: "Discard a dead letter",
  tags: ["dead letters"],
  ...secured("admin"),
  request: { params: LetterPath },
  responses: { 204: { description: "There is no such letter any more" }, ...problems(404) },
});

export const letters = newApi()
  .openapi(listDeadLetters, async (c) => {
    const { eco } = c.req.valid("param");
    const { limit, after, kind, daemon, signal, host, since, until, text } = c.req.valid("query");
    const filter: DeadLetterFilter = {
      ...(kind === undefined ? {} : { kind }),
      ...(daemon === undefined ? {} : { daemon }),
      ...(signal.length === 0 ? {} : { signal }),
      ...(host === undefined ? {} : { host }),
      ...(since === undefined ? {} : { since: new Date(since).toISOString() }),
      ...(until === undefined ? {} : { until: new Date(until).toISOString() }),
      ...(text === undefined ? {} : { text }),
    };
    const page = await deadLetters(c.env, eco).list({ limit, filter, ...(after === undefined ? {} : { after }) });
    return c.json(page, 200);
  })
  .openapi(replayMany, async (c) => {
    const { eco } = c.req.valid("param");
    return c.json(await deadLetters(c.env, eco).replayAll(await readBulk(c.req.raw)), 200);
  })
  .openapi(discardMany, async (c) => {
    const { eco } = c.req.valid("param");
    return c.json(await deadLetters(c.env, eco).discardAll(await readBulk(c.req.raw)), 200);
  })
  .openapi(getDeadLetter, async (c) => {
    const { eco, id } = c.req.valid("param");
    const letter = await deadLetters(c.env, eco).find(id);
    if (letter === null) throw noLetter();
    return c.json(letter, 200);
  })
  .openapi(replay, async (c) => {
    const { eco, id } = c.req.valid("param");
    const bodyless = c.req.raw.body === null || c.req.header("content-type") === undefined;
    const { signal } = bodyless ? {} : await readDocument(c.req.raw, ReplayRequest, "invalid-replay");
    const answer = await deadLetters(c.env, eco).replay(id, signal);
    if (!("problem" in answer)) return c.json(answer, 200);
    const { retry_after_ms: retryAfterMs } = answer.problem;
    throw new Refusal(
      answer.problem,
      typeof retryAfterMs === "number" ? { "Retry-After": String(Math.max(1, Math.ceil(retryAfterMs / 1_000))) } : {},
    );
  })
  .openapi(discard, async (c) => {
    const { eco, id } = c.req.valid("param");
    if (!(await deadLetters(c.env, eco).discard(id))) throw noLetter();
    return c.body(null, 204);
  });

const noLetter = () => notFound("There is no dead letter of this id; GET /v1/{eco}/dead-letters lists them.");

async function readBulk(request: Request): Promise<BulkQuery> {
  const { dry_run: dryRun, limit, after, filter } = await readDocument(request, BulkRequest, "invalid-filter");
  return { filter, limit, dryRun, ...(after === undefined ? {} : { after }) };
}
