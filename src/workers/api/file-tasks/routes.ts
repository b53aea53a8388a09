import { createRoute, z } from "@hono/zod-openapi";
import { workerBoard } from "../../objects.ts";
import { EcosystemPath } from "../http/query.ts";
import { notFound } from "../http/refusal.ts";
import { json, newApi, problems, secured } from "../http/route.ts";

const count = z.number().int().nonnegative();
const time = z.string().openapi({ format: "date-time" });

const WorkerSchema = z
  .object({
    worker: z.string(),
    host: z.string(),
    running: count,
    overdue: count.openapi({ description: "Begun, and not ended in time" }),
    complete: count,
    failed: count,
    timed_out: count,
    last_at: time,
    last_error: z.string().optional(),
  })
  .openapi("DropWorker");

const DroppedTaskSchema = z
  .object({
    worker: z.string(),
    task_id: z.string(),
    claim: z.string().openapi({ description: "Tells one drop of an id from a later one" }),
    status: z.enum(["running", "overdue", "complete", "failed"]),
    host: z.string(),
    attempt: count,
    started_at: time,
    due_at: time.optional(),
    finished_at: time.optional(),
    duration_ms: count.optional(),
    error: z.string().optional(),
    result: z.unknown().optional(),
    result_path: z.string().optional(),
  })
  .openapi("DroppedTask");

const listWorkers = createRoute({
  method: "get",
  path: "/v1/{eco}/workers",
  operationId: "listWorkers",
  summary: "File-drop workers of all hosts",
  tags: ["agents"],
  ...secured("signals:read"),
  request: { params: EcosystemPath },
  responses: { 200: json(z.object({ workers: z.array(WorkerSchema) }), "Workers"), ...problems() },
});

const getDroppedTask = createRoute({
  method: "get",
  path: "/v1/{eco}/workers/{worker}/tasks/{id}",
  operationId: "getDroppedTask",
  summary: "What became of a dropped task",
  tags: ["agents"],
  ...secured("signals:read"),
  request: {
    params: EcosystemPath.extend({
      worker: z.string().openapi({ param: { description: "The worker's name" } }),
      id: z.string().openapi({ param: { description: "The task's id" } }),
    }),
  },
  responses: {
    200: json(z.object({ tasks: z.array(DroppedTaskSchema) }), "Every drop of that id, the newest first"),
    ...problems(404),
  },
});

export const workers = newApi()
  .openapi(listWorkers, async (c) => {
    const { eco } = c.req.valid("param");
    return c.json({ workers: await workerBoard(c.env, eco).workers() }, 200);
  })
  .openapi(getDroppedTask, async (c) => {
    const { eco, worker, id } = c.req.valid("param");
    const tasks = await workerBoard(c.env, eco).task(worker, id);
    if (tasks.length === 0) throw notFound(`No host has told of a task ${id} of the worker ${worker}.`);
    return c.json({ tasks }, 200);
  });
