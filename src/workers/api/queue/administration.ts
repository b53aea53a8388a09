import { createRoute } from "@hono/zod-openapi";
import type { Context } from "hono";
import type * as z from "zod";
import { problem } from "../../../core/problem/problem.ts";
import { type BulkAction, BulkTasksRequest, standingsOf } from "../../../core/queue/bulk.ts";
import { PauseRequest } from "../../../core/queue/pause.ts";
import { QueueSettingsChange } from "../../../core/queue/queue-settings.ts";
import type { ApiEnv } from "../http/api-env.ts";
import { readDocument } from "../http/body.ts";
import { QueuePath } from "../http/query.ts";
import { invalid, Refusal } from "../http/refusal.ts";
import { json, jsonBody, newApi, problems, secured, securedForTasks } from "../http/route.ts";
import { beginQueue } from "./begin-queue.ts";
import { readableRecipients } from "./commands.ts";
import { existingQueue, findQueue } from "./existing-queue.ts";
import { BulkTasksSchema, CreatedQueueSchema, PauseStateSchema } from "./schemas.ts";
import { acceptedBy } from "./tasks-body.ts";

const optionalBody = (name: string) => jsonBody({ $ref: `#/components/schemas/${name}` }, false);

const create = createRoute({
  method: "put",
  path: "/v1/{eco}/queues/{q}",
  operationId: "createQueue",
  summary: "Create a queue, or set one up",
  description:
    "Makes the queue where it does not exist, before its first task. Settings that the body names are set, all others stay as they are.",
  tags: ["tasks"],
  ...secured("policy:write"),
  request: { params: QueuePath, body: optionalBody("QueueSettingsChange") },
  responses: {
    200: json(CreatedQueueSchema, "The queue existed"),
    201: json(CreatedQueueSchema, "The queue is created"),
    ...problems(400, 413, 415),
  },
});

const pause = createRoute({
  method: "post",
  path: "/v1/{eco}/queues/{q}/pause",
  operationId: "pauseQueue",
  summary: "Pause a queue",
  description:
    "A paused queue takes tasks and gives none out. Tasks that workers hold may be finished, extended and released. Calls wait for " +
    "as long as they may. The pause outlives restarts.",
  tags: ["tasks"],
  ...secured("policy:write"),
  request: { params: QueuePath, body: optionalBody("PauseRequest") },
  responses: {
    200: json(PauseStateSchema, "The queue is paused; an earlier pause stays"),
    ...problems(400, 404, 413, 415),
  },
});

const resume = createRoute({
  method: "post",
  path: "/v1/{eco}/queues/{q}/resume",
  operationId: "resumeQueue",
  summary: "Have a paused queue give out tasks again",
  tags: ["tasks"],
  ...secured("policy:write"),
  request: { params: QueuePath },
  responses: { 200: json(PauseStateSchema, "The queue gives out tasks"), ...problems(404) },
});

const BULK_TEXT =
  "With `dry_run` nothing is changed: the answer counts the tasks that match. Tasks that come while it runs are left alone. What " +
  "takes longer than 20 seconds is answered `running`, goes on by itself, and is shown in the status of the queue. One action runs at " +
  "a time; its end is the signal Q_QUEUE_BULK.";

const bulk = (action: BulkAction, summary: string, what: string, access: object) =>
  createRoute({
    method: "post",
    path: `/v1/{eco}/queues/{q}/${action}`,
    operationId: `${action}Tasks`,
    summary,
    description: `${what} ${BULK_TEXT}`,
    tags: ["tasks"],
    ...access,
    request: { params: QueuePath, body: optionalBody("BulkTasksRequest") },
    responses: { 200: json(BulkTasksSchema, "How far it is"), ...problems(400, 404, 409, 413, 415) },
  });

const purge = bulk(
  "purge",
  "Purge the tasks of a filter",
  "Takes tasks out of the queue without a trace: neither they nor their ids are kept. Default: those that wait; a `status` of the " +
    "filter chooses others, finished ones too.",
  secured("admin"),
);
const cancel = bulk(
  "cancel",
  "Cancel the tasks of a filter",
  "Cancels unfinished tasks, also those that workers hold; they are kept as cancelled.",
  securedForTasks("tasks:write"),
);
const retry = bulk(
  "retry",
  "Retry the failed tasks of a filter",
  "Queues tasks again that failed or expired, with all their attempts; a `status` of the filter chooses cancelled or dropped ones. It " +
    "stops where the queue is full.",
  securedForTasks("tasks:write"),
);

export const queueAdministration = newApi()
  .openapi(create, async (c) => {
    const { eco, q } = c.req.valid("param");
    const change = await readOptional(c, QueueSettingsChange, "invalid-settings");
    const existed = (await findQueue(c.env, eco, q)) !== undefined;
    const queue = await beginQueue(c.env, eco, q, c.get("grant"));
    const settings = acceptedBy(await queue.configure(change));
    return c.json({ name: q, created: !existed, settings }, existed ? 200 : 201);
  })
  .openapi(pause, async (c) => {
    const { eco, q } = c.req.valid("param");
    const { reason } = await readOptional(c, PauseRequest, "invalid-pause");
    const queue = await existingQueue(c.env, eco, q);
    return c.json({ queue: q, paused: acceptedBy(await queue.setPaused(c.get("grant").name, reason ?? null)) }, 200);
  })
  .openapi(resume, async (c) => {
    const { eco, q } = c.req.valid("param");
    const queue = await existingQueue(c.env, eco, q);
    return c.json({ queue: q, paused: acceptedBy(await queue.setPaused(c.get("grant").name, undefined)) }, 200);
  })
  .openapi(purge, async (c) => c.json(await act(c, c.req.valid("param"), "purge"), 200))
  .openapi(cancel, async (c) => c.json(await act(c, c.req.valid("param"), "cancel"), 200))
  .openapi(retry, async (c) => c.json(await act(c, c.req.valid("param"), "retry"), 200));

async function act(c: Context<ApiEnv>, { eco, q }: { eco: string; q: string }, action: BulkAction) {
  const { filter, dry_run: dryRun } = await readOptional(c, BulkTasksRequest, "invalid-filter");
  const fits = standingsOf(action, filter);
  if (typeof fits === "string")
    throw invalid("invalid-filter", "The filter is not valid", [{ pointer: "/filter/status", message: fits }]);
  const queue = await existingQueue(c.env, eco, q);
  const grant = c.get("grant");
  const order = { action, filter, dryRun, by: grant.name, recipients: readableRecipients(grant, q) };
  const answer = acceptedBy(await queue.bulk(order));
  if (!("busy" in answer)) return answer;
  const { busy } = answer;
  const detail =
    `A ${busy.action} by ${busy.by} runs since ${busy.started_at}, and has done ${busy.done} tasks. ` +
    "Wait for its end: the status of the queue shows it.";
  throw new Refusal(problem("bulk-running", 409, "Another action runs on the queue's tasks", detail, { bulk: busy }));
}

/** A body that may be left out, as if it were `{}`. */
function readOptional<Schema extends z.ZodType>(c: Context<ApiEnv>, schema: Schema, kind: string) {
  const { raw } = c.req;
  const bodyless = raw.body === null || raw.headers.get("content-type") === null;
  return bodyless ? Promise.resolve(schema.parse({})) : readDocument(raw, schema, kind);
}
