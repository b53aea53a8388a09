import { createRoute, z } from "@hono/zod-openapi";
import { problem } from "../../../core/problem/problem.ts";
import { QueueSettingsChange } from "../../../core/queue/queue-settings.ts";
import { EventsFrame } from "../../../core/queue/work-frames.ts";
import { QUEUE_DELETED } from "../../../durable-objects/queue/removal.ts";
import { directory } from "../../bindings/objects.ts";
import { readDocument } from "../http/body.ts";
import { EcosystemPath, QueuePath, wholeNumber } from "../http/query.ts";
import { Refusal } from "../http/refusal.ts";
import { json, jsonBody, newApi, problems, secured } from "../http/route.ts";
import { type Chunk, eventsOf, socketOf } from "../http/server-sent-events.ts";
import { withToken } from "../http/upgrade.ts";
import { beginQueue } from "./begin-queue.ts";
import { existingQueue, forgetQueue } from "./existing-queue.ts";
import { BottlenecksSchema, QueueEventsSchema, QueueStatusSchema, QueuesSchema, SettingsSchema } from "./schemas.ts";
import { acceptedBy } from "./tasks-body.ts";
import { statusWithChecks } from "./unjudged.ts";

const list = createRoute({
  method: "get",
  path: "/v1/{eco}/queues",
  operationId: "listQueues",
  summary: "List the queues of an ecosystem",
  tags: ["tasks"],
  ...secured("signals:read"),
  request: { params: EcosystemPath },
  responses: { 200: json(QueuesSchema, "Queues that have held a task, by name"), ...problems() },
});

const one = createRoute({
  method: "get",
  path: "/v1/{eco}/queues/{q}",
  operationId: "getQueue",
  summary: "Get the status of a queue",
  description:
    "Percentiles cover this hour and the one before: `p50_ms` of the running time, `waiting_p50_ms` of the waiting time.",
  tags: ["tasks"],
  ...secured("signals:read"),
  request: { params: QueuePath },
  responses: { 200: json(QueueStatusSchema, "The status"), ...problems(404) },
});

const configure = createRoute({
  method: "patch",
  path: "/v1/{eco}/queues/{q}",
  operationId: "configureQueue",
  summary: "Change a queue's settings",
  description: "A setting that the body does not name stays as it is.",
  tags: ["tasks"],
  ...secured("policy:write"),
  request: {
    params: QueuePath,
    body: jsonBody({ $ref: "#/components/schemas/QueueSettingsChange" }),
  },
  responses: { 200: json(SettingsSchema, "The settings after the change"), ...problems(400, 413, 415) },
});

const remove = createRoute({
  method: "delete",
  path: "/v1/{eco}/queues/{q}",
  operationId: "deleteQueue",
  summary: "Delete a queue",
  description:
    "Deletes the queue with its settings, statistics and finished tasks, and closes its channels. A queue with unfinished " +
    "tasks is kept, unless `force` is true: then these are lost. Dead letters stay. The next task makes a new queue.",
  tags: ["tasks"],
  ...secured("admin"),
  request: {
    params: QueuePath,
    query: z.strictObject({
      force: z
        .enum(["true", "false"], { error: "give true or false" })
        .optional()
        .openapi({ description: "Also delete a queue that has unfinished tasks" }),
    }),
  },
  responses: { 204: { description: "The queue is deleted" }, ...problems(404, 409) },
});

const bottlenecks = createRoute({
  method: "get",
  path: "/v1/{eco}/queues/{q}/bottlenecks",
  operationId: "getBottlenecks",
  summary: "Find the bottlenecks of a queue",
  tags: ["tasks"],
  ...secured("signals:read"),
  request: {
    params: QueuePath,
    query: z.strictObject({ limit: wholeNumber(1, 100, 10, "Most tasks, and most kinds of task, in the answer") }),
  },
  responses: { 200: json(BottlenecksSchema, "Slowest first"), ...problems(404) },
});

const events = createRoute({
  method: "get",
  path: "/v1/{eco}/queues/{q}/events",
  operationId: "getQueueEvents",
  summary: "Get the latest events of a queue",
  description:
    "Events of before the queue's object last woke are read from the histories of its tasks. With " +
    "`Accept: text/event-stream` the latest events are followed by new ones as they happen, and `Last-Event-ID` resumes " +
    "a stream. A reader that falls some thousand events behind is disconnected.",
  tags: ["tasks"],
  ...secured("signals:read"),
  request: {
    params: QueuePath,
    query: z.strictObject({ tail: wholeNumber(1, 1_000, 100, "Number of events, the newest ones") }),
  },
  responses: {
    200: {
      description: "Oldest first",
      content: {
        "application/json": { schema: QueueEventsSchema },
        "text/event-stream": { schema: { type: "string" as const } },
      },
    },
    ...problems(404),
  },
});

export const queues = newApi()
  .openapi(list, async (c) => c.json({ queues: await directory(c.env).queues(c.req.valid("param").eco) }, 200))
  .openapi(one, async (c) => {
    const { eco, q } = c.req.valid("param");
    const status = await (await existingQueue(c.env, eco, q)).status();
    return c.json(await statusWithChecks(c.env, eco, status), 200);
  })
  .openapi(configure, async (c) => {
    const { eco, q } = c.req.valid("param");
    const change = await readDocument(c.req.raw, QueueSettingsChange, "invalid-settings");
    const queue = await beginQueue(c.env, eco, q, c.get("grant"));
    return c.json(acceptedBy(await queue.configure(change)), 200);
  })
  .openapi(remove, async (c) => {
    const { eco, q } = c.req.valid("param");
    const queue = await existingQueue(c.env, eco, q);
    const outcome = acceptedBy(await queue.remove(c.req.valid("query").force === "true").catch(removedMeanwhile));
    if ("unfinished" in outcome) throw new Refusal(notEmpty(q, outcome.unfinished));
    forgetQueue(eco, q);
    // The end of the object is the failure of this call.
    await queue.end().catch(() => undefined);
    return c.body(null, 204);
  })
  .openapi(bottlenecks, async (c) => {
    const { eco, q } = c.req.valid("param");
    const queue = await existingQueue(c.env, eco, q);
    return c.json(await queue.bottlenecks(c.req.valid("query").limit), 200);
  })
  .openapi(events, async (c) => {
    const { eco, q } = c.req.valid("param");
    const { tail } = c.req.valid("query");
    const queue = await existingQueue(c.env, eco, q);
    if (c.req.header("accept")?.includes("text/event-stream") !== true || c.req.raw.method === "HEAD")
      return c.json({ events: await queue.events(tail) }, 200);
    const query = new URLSearchParams({ tail: String(tail) });
    const after = c.req.header("last-event-id");
    if (after !== undefined && after !== "") query.set("after", after);
    const url = `https://queue/events?${withToken(query, c.get("grant"))}`;
    return eventsOf(await socketOf(queue, url, "The queue"), "", readEvents);
  });

/** Somebody else deleted the queue, and the object has ended. */
function removedMeanwhile(error: unknown): { removed: true } {
  if (error instanceof Error && error.message.includes(QUEUE_DELETED)) return { removed: true };
  throw error;
}

function notEmpty(queue: string, unfinished: number) {
  const tasks = unfinished === 1 ? "1 unfinished task" : `${unfinished} unfinished tasks`;
  const detail = `The queue "${queue}" has ${tasks}. Complete or cancel them first, or lose them with ?force=true.`;
  return problem("queue-not-empty", 409, "The queue has unfinished tasks", detail, { unfinished });
}

function readEvents(text: string): Chunk {
  const { incarnation, first, events } = EventsFrame.parse(JSON.parse(text));
  const texts = events.map((event, index) => `id: ${incarnation}.${first + index}\ndata: ${JSON.stringify(event)}\n\n`);
  return { text: texts.join(""), seen: String(first + events.length - 1) };
}
