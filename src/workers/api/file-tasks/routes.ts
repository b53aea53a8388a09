import { createRoute, z } from "@hono/zod-openapi";
import { fileWorkerHealth } from "../../../core/file-tasks/worker-health.ts";
import type { AgentView } from "../../../core/hosts/api.ts";
import type { Environment } from "../../bindings/environment.ts";
import { agentRegistry, workerBoard } from "../../bindings/objects.ts";
import { EcosystemPath } from "../http/query.ts";
import { notFound } from "../http/refusal.ts";
import { json, newApi, problems, secured } from "../http/route.ts";
import { FileTasksSchema, FileWorkerHostsSchema, FileWorkersSchema } from "./schemas.ts";

const listWorkers = createRoute({
  method: "get",
  path: "/v1/{eco}/workers",
  operationId: "listWorkers",
  summary: "List the workers of file tasks on all hosts",
  tags: ["agents"],
  ...secured("signals:read"),
  request: { params: EcosystemPath },
  responses: { 200: json(FileWorkersSchema, "Workers"), ...problems() },
});

const getWorker = createRoute({
  method: "get",
  path: "/v1/{eco}/workers/{worker}",
  operationId: "getWorker",
  summary: "One worker of file tasks: its health and counts on each host",
  tags: ["agents"],
  ...secured("signals:read"),
  request: {
    params: EcosystemPath.extend({ worker: z.string().openapi({ param: { description: "Name of the worker" } }) }),
  },
  responses: { 200: json(FileWorkerHostsSchema, "The worker"), ...problems(404) },
});

const getFileTask = createRoute({
  method: "get",
  path: "/v1/{eco}/workers/{worker}/tasks/{id}",
  operationId: "getDroppedTask",
  summary: "Get the state of a file task",
  tags: ["agents"],
  ...secured("signals:read"),
  request: {
    params: EcosystemPath.extend({
      worker: z.string().openapi({ param: { description: "Name of the worker" } }),
      id: z.string().openapi({ param: { description: "Id of the task" } }),
    }),
  },
  responses: {
    200: json(FileTasksSchema, "All tasks of this id, newest first"),
    ...problems(404),
  },
});

export const fileTaskRoutes = newApi()
  .openapi(listWorkers, async (c) => {
    const { eco } = c.req.valid("param");
    return c.json({ workers: await workerBoard(c.env, eco).workers() }, 200);
  })
  .openapi(getWorker, async (c) => {
    const { eco, worker } = c.req.valid("param");
    const [counts, agents] = await Promise.all([workerBoard(c.env, eco).workers(), allAgents(c.env, eco)]);
    const own = counts.filter((one) => one.worker === worker);
    const hosts = fileWorkerHealth(worker, own, agents, Date.now());
    if (hosts.length === 0) throw notFound(`No host runs a worker "${worker}". List workers: GET /v1/{eco}/workers`);
    return c.json({ worker, hosts }, 200);
  })
  .openapi(getFileTask, async (c) => {
    const { eco, worker, id } = c.req.valid("param");
    const tasks = await workerBoard(c.env, eco).task(worker, id);
    if (tasks.length === 0)
      throw notFound(
        `No host has reported a task "${id}" of the worker "${worker}". List workers: GET /v1/{eco}/workers`,
      );
    return c.json({ tasks }, 200);
  });

const PAGE = 100;

async function allAgents(env: Environment, eco: string): Promise<AgentView[]> {
  const agents: AgentView[] = [];
  for (let after: string | null | undefined; after !== null; ) {
    const page = await agentRegistry(env, eco).agents({ limit: PAGE, ...(after === undefined ? {} : { after }) });
    agents.push(...page.agents);
    after = page.next;
  }
  return agents;
}
