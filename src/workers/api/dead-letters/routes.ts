import { createRoute, z } from "@hono/zod-openapi";
import { BULK_LIMIT, type BulkQuery, BulkRequest, ReplayRequest } from "../../../core/dead-letters/api.ts";
import type { DeadLetterFilter } from "../../../core/dead-letters/filter.ts";
import { DEAD_LETTER_KINDS } from "../../../core/dead-letters/kinds.ts";
import { withoutTaskContents } from "../../../core/dead-letters/task-contents.ts";
import { deadLetters } from "../../bindings/objects.ts";
import { readDocument } from "../http/body.ts";
import { nextLink } from "../http/next-link.ts";
import { EcosystemPath, pageCursor, patterns, time, wholeNumber, words } from "../http/query.ts";
import { notFound, Refusal } from "../http/refusal.ts";
import { json, jsonBody, newApi, problems, secured } from "../http/route.ts";
import { readsTasks } from "./reads-tasks.ts";
import { BulkAnswerSchema, DeadLetterSchema, DeadLettersSchema, ReplayedSchema } from "./schemas.ts";

const DeadLetterPath = EcosystemPath.extend({
  id: z
    .string()
    .min(1)
    .max(1_024)
    .openapi({ param: { description: "Id of the dead letter, percent-encoded" } }),
});

const listDeadLetters = createRoute({
  method: "get",
  path: "/v1/{eco}/dead-letters",
  operationId: "listDeadLetters",
  summary: "List dead letters: items that could not be processed, with the reason",
  description:
    "Newest first. A page may be short or empty and still have a next one: the number of rows read for one is bounded. " +
    "What a task holds is shown to those who have the scope `tasks:read`.",
  tags: ["dead letters"],
  ...secured("signals:read"),
  request: {
    params: EcosystemPath,
    query: z.strictObject({
      kind: z
        .enum(DEAD_LETTER_KINDS, { error: `give one of ${DEAD_LETTER_KINDS.join(", ")}` })
        .optional()
        .openapi({ param: { required: false, description: "Only dead letters of this kind" } }),
      daemon: words("The component that gave up; * stands for any text"),
      signal: patterns,
      host: words("The host that keeps the failed item"),
      since: time("Last failure at this time or later"),
      until: time("Last failure before this time"),
      text: words("Text in the id, the error or the failed item"),
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
  summary: "Get one dead letter",
  description: "A replayed dead letter is kept with its outcome until 30 days after its last failure.",
  tags: ["dead letters"],
  ...secured("signals:read"),
  request: { params: DeadLetterPath },
  responses: { 200: json(DeadLetterSchema, "The dead letter"), ...problems(404) },
});

// A replay can have any effect that the failed item could have had, so only administrators may ask for one.
const replay = createRoute({
  method: "post",
  path: "/v1/{eco}/dead-letters/{id}/replay",
  operationId: "replayDeadLetter",
  summary: "Replay a dead letter: process it again",
  description:
    "The dead letter is processed under its own id, so no effect happens twice, and repeating the call is safe. Give " +
    "`signal` to replace a signal that the log refused. A dead letter that fails again stays, with one more attempt.",
  tags: ["dead letters"],
  ...secured("admin"),
  request: {
    params: DeadLetterPath,
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
    200: json(ReplayedSchema, "The effect happened, or is durably under way"),
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
      "Handles one page, oldest first; repeat with `next` until it is null. Unless `dry_run` is false, the call only " +
      "lists the dead letters that match.",
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
    responses: { 200: json(BulkAnswerSchema, "The result for this page"), ...problems(400, 413, 415) },
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
  request: { params: DeadLetterPath },
  responses: { 204: { description: "The dead letter is discarded" }, ...problems(404) },
});

export const deadLetterRoutes = newApi()
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
    const page = await deadLetters(c.env, eco).list({
      limit,
      filter,
      readsTasks: readsTasks(c.get("grant"), eco),
      ...(after === undefined ? {} : { after }),
    });
    return c.json(page, 200, nextLink(c.req.url, page.next));
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
    const deadLetter = await deadLetters(c.env, eco).find(id);
    if (deadLetter === null) throw unknownDeadLetter(id);
    return c.json(readsTasks(c.get("grant"), eco) ? deadLetter : withoutTaskContents(deadLetter), 200);
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
    if (!(await deadLetters(c.env, eco).discard(id))) throw unknownDeadLetter(id);
    return c.body(null, 204);
  });

const unknownDeadLetter = (id: string) =>
  notFound(`No dead letter "${id}". List dead letters: GET /v1/{eco}/dead-letters`);

async function readBulk(request: Request): Promise<BulkQuery> {
  const { dry_run: dryRun, limit, after, filter } = await readDocument(request, BulkRequest, "invalid-filter");
  return { filter, limit, dryRun, ...(after === undefined ? {} : { after }) };
}
