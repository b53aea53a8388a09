import { createRoute, z } from "@hono/zod-openapi";
import { QueueSettingsChange } from "../../../core/queue/queue-settings.ts";
import { EventsFrame } from "../../../core/queue/work-frames.ts";
import { directory, priorityQueue } from "../../bindings/objects.ts";
import { readDocument } from "../http/body.ts";
import { EcosystemPath, QueuePath, wholeNumber } from "../http/query.ts";
import { json, jsonBody, newApi, problems, secured } from "../http/route.ts";
import { type Chunk, eventsOf, socketOf } from "../http/server-sent-events.ts";
import { withToken } from "../http/upgrade.ts";
import { existingQueue } from "./existing-queue.ts";
import { BottlenecksSchema, QueueEventsSchema, QueueStatusSchema, QueuesSchema, SettingsSchema } from "./schemas.ts";
import { acceptedBy } from "./tasks-body.ts";

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
    "Events reach back to when the queue's object last woke; the history of each task is kept with the task. With " +
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
    return c.json(await (await existingQueue(c.env, eco, q)).status(), 200);
  })
  .openapi(configure, async (c) => {
    const { eco, q } = c.req.valid("param");
    const change = await readDocument(c.req.raw, QueueSettingsChange, "invalid-settings");
    return c.json(acceptedBy(await priorityQueue(c.env, eco, q).configure(change)), 200);
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

function readEvents(text: string): Chunk {
  const { incarnation, first, events } = EventsFrame.parse(JSON.parse(text));
  const texts = events.map((event, index) => `id: ${incarnation}.${first + index}\ndata: ${JSON.stringify(event)}\n\n`);
  return { text: texts.join(""), seen: String(first + events.length - 1) };
}
