import { createRoute, z } from "@hono/zod-openapi";
import { isBoundTo, notBound } from "../../../core/access/bindings.ts";
import { expiresMs, type Grant } from "../../../core/access/grant.ts";
import { commandedByName } from "../../../core/access/work-rights.ts";
import { HOSTS_QUEUE } from "../../../core/hosts/command-queue.ts";
import { problem } from "../../../core/problem/problem.ts";
import { isOutcome, STANDINGS } from "../../../core/queue/bulk.ts";
import type { TaskAction } from "../../../core/queue/task-action.ts";
import { MAX_TASKS } from "../../../core/queue/task-input.ts";
import { evidenceJson } from "../../../core/queue/task-result.ts";
import { hostOfAnother, refusedRecipient, worksFor } from "../../../durable-objects/queue/worker-rights.ts";
import type { Environment } from "../../bindings/environment.ts";
import { priorityQueue, queueLobby, signalLog } from "../../bindings/objects.ts";
import { readDocument } from "../http/body.ts";
import { nextLink } from "../http/next-link.ts";
import { repeatable } from "../http/once.ts";
import { choice, QueuePath, TaskPath, wholeNumber, words } from "../http/query.ts";
import { invalid, notFound, Refusal, unauthenticated } from "../http/refusal.ts";
import { json, jsonBody, jsonText, newApi, problems, secured, securedForTasks } from "../http/route.ts";
import { beginQueue } from "./begin-queue.ts";
import { mustCommand, readableRecipients, workableIn } from "./commands.ts";
import { existingQueue, findQueue } from "./existing-queue.ts";
import { anyPlace, finishedPage } from "./finished.ts";
import { waitInLobby } from "./lobby.ts";
import { CompleteRequest, ExtendRequest, FailRequest, LeaseRequest, ReleaseRequest } from "./requests.ts";
import { LeasedTasksSchema, ReceiptsSchema, TaskPageSchema, TaskSchema, TaskStateSchema } from "./schemas.ts";
import { acceptedBy, jsonOrRefuse, readTasks, refuseFull } from "./tasks-body.ts";
import { withCheck } from "./unjudged.ts";

const NEW_TASK = { $ref: "#/components/schemas/NewTask" };
const body = (name: string) => jsonBody({ $ref: `#/components/schemas/${name}` });

const enqueue = createRoute({
  method: "post",
  path: "/v1/{eco}/queues/{q}/tasks",
  operationId: "enqueueTasks",
  summary: "Queue one task, or many",
  description:
    "All tasks are queued, or none. With a `task_id` for each task the request can safely be sent again: a task that " +
    "the queue knows, unfinished or finished within the last day, is not queued a second time.",
  tags: ["tasks"],
  ...securedForTasks("tasks:write"),
  request: {
    params: QueuePath,
    body: jsonBody({ oneOf: [NEW_TASK, { type: "array", items: NEW_TASK, minItems: 1, maxItems: MAX_TASKS }] }),
  },
  responses: { 202: json(ReceiptsSchema, "The tasks are durable"), ...problems(400, 413, 415, 429) },
});

const list = createRoute({
  method: "get",
  path: "/v1/{eco}/queues/{q}/tasks",
  operationId: "listTasks",
  summary: "List tasks",
  description:
    "The unfinished tasks, in the order of their arrival; with a `status` of finished tasks those, the newest first, as " +
    "`GET …/finished` lists them. With a filter one call looks at 20,000 tasks at most, so a page may be short and still have a next one.",
  tags: ["tasks"],
  ...securedForTasks("tasks:read"),
  request: {
    params: QueuePath,
    query: z.strictObject({
      status: choice(STANDINGS, "Only tasks that stand so, or ended so"),
      recipient: words("Only tasks of this recipient"),
      type: words("Only tasks of this type"),
      limit: wholeNumber(1, 1_000, 100, "Tasks in a page"),
      after: anyPlace,
    }),
  },
  responses: { 200: json(TaskPageSchema, "One page"), ...problems(404) },
});

const one = createRoute({
  method: "get",
  path: "/v1/{eco}/queues/{q}/tasks/{id}",
  operationId: "getTask",
  summary: "Get a task with its history",
  description: "A finished task can be read for a day, and the last `keep_finished` of a queue for longer.",
  tags: ["tasks"],
  ...securedForTasks("tasks:read"),
  request: { params: TaskPath },
  responses: { 200: json(TaskSchema, "The task"), ...problems(404) },
});

const lease = createRoute({
  method: "post",
  path: "/v1/{eco}/queues/{q}/lease",
  operationId: "leaseTasks",
  summary: "Lease tasks to work on",
  description:
    "The most urgent tasks first, and the oldest of the equally urgent ones. Waits up to `wait_ms` for a task, also of a " +
    "queue that does not exist yet, and makes no queue.",
  tags: ["tasks"],
  ...secured("tasks:work"),
  request: { params: QueuePath, body: body("LeaseRequest") },
  responses: { 200: json(LeasedTasksSchema, "The leased tasks, or none"), ...problems(400, 413, 415) },
});

const taskAction = (action: string, summary: string, schema: string | undefined, scope: "tasks:work" | "tasks:write") =>
  createRoute({
    method: "post",
    path: `/v1/{eco}/queues/{q}/tasks/{id}/${action}`,
    operationId: `${action}Task`,
    summary,
    tags: ["tasks"],
    ...(scope === "tasks:work" ? secured(scope) : securedForTasks(scope)),
    request: { params: TaskPath, ...(schema === undefined ? {} : { body: body(schema) }) },
    responses: { 200: json(TaskStateSchema, "Done and durable"), ...problems(400, 404, 409, 413, 415, 429) },
  });

const complete = taskAction("complete", "Complete a task", "CompleteRequest", "tasks:work");
const fail = taskAction("fail", "Fail an attempt", "FailRequest", "tasks:work");
const extend = taskAction("extend", "Extend a lease", "ExtendRequest", "tasks:work");
const release = taskAction("release", "Release a task that was not begun", "ReleaseRequest", "tasks:work");
const cancel = taskAction("cancel", "Cancel a task, also one that a worker holds", undefined, "tasks:write");
const retry = taskAction("retry", "Retry a failed task, with all its attempts", undefined, "tasks:write");

export const tasks = newApi()
  .openapi(enqueue, async (c) => {
    const { eco, q } = c.req.valid("param");
    const read = await readTasks(c.req.raw);
    const wanted = read.map((task, place) => ({ ...task, taskId: task.taskId ?? repeatable(c, place) }));
    mustCommand(c.get("grant"), q, wanted);
    const queue = await beginQueue(c.env, eco, q, c.get("grant"));
    const answer = acceptedBy(await queue.enqueue(wanted));
    if ("full" in answer) throw refuseFull(answer.capacity);
    return c.json(answer, 202);
  })
  .openapi(list, async (c) => {
    const { eco, q } = c.req.valid("param");
    const { after: given, status, ...query } = c.req.valid("query");
    const recipients = readableRecipients(c.get("grant"), q);
    if (status !== undefined && isOutcome(status)) {
      if (typeof given === "number") throw otherList();
      return finishedPage(
        await existingQueue(c.env, eco, q),
        {
          ...query,
          outcomes: [status],
          recipients,
          after: given,
        },
        c.req.url,
      );
    }
    if (typeof given === "object") throw otherList();
    const queue = await existingQueue(c.env, eco, q);
    const page = await queue.tasks({ ...query, status, after: given ?? 0, recipients });
    return jsonText<z.infer<typeof TaskPageSchema>>(
      `{"tasks":[${page.tasks.join(",")}],"next":${page.next}}`,
      nextLink(c.req.url, page.next),
    );
  })
  .openapi(one, async (c) => {
    const { eco, q, id } = c.req.valid("param");
    const queue = await existingQueue(c.env, eco, q);
    const text = await queue.task(id, readableRecipients(c.get("grant"), q));
    if (text === null) throw unknownTask(q, id);
    return jsonText<z.infer<typeof TaskSchema>>(await withCheck(c.env, eco, text));
  })
  .openapi(lease, async (c) => {
    const { eco, q } = c.req.valid("param");
    const wish = await readDocument(c.req.raw, LeaseRequest, "invalid-lease");
    const { recipient, max, lease_ms, wait_ms, worker, skills, host, labels } = wish;
    const grant = c.get("grant");
    const recipients = workableIn(grant, q);
    if (!worksFor(recipients, recipient)) throw new Refusal(refusedRecipient(q, recipients, recipient));
    if (host !== undefined && !isBoundTo(grant.hosts, host)) throw new Refusal(notBound("hosts", grant.hosts, host));
    const byName = commandedByName(grant, q === HOSTS_QUEUE);
    if (byName && !(await signalLog(c.env, eco).mayCommand(recipient, grant.id)))
      throw new Refusal(hostOfAnother(recipient));
    const token = { id: grant.id, expiresMs: expiresMs(grant) };
    const query = { recipient, max, leaseMs: lease_ms, worker: worker ?? recipient, skills, host, labels, token };
    let waitMs = wait_ms;
    let queue = await findQueue(c.env, eco, q);
    if (queue === undefined && wait_ms > 0) {
      const startMs = Date.now();
      const visit = { env: c.env, ecosystem: eco, queue: q, grant };
      const outcome = await waitInLobby(visit, "worker", wait_ms).ended;
      if (outcome === "token_over") throw unauthenticated();
      waitMs = Math.max(0, wait_ms - (Date.now() - startMs));
      if (outcome === "began") queue = priorityQueue(c.env, eco, q);
    } else if (queue === undefined) await queueLobby(c.env, eco).offerWork(q);
    const leased = queue === undefined ? [] : acceptedBy(await queue.lease({ ...query, waitMs }));
    if ("token_over" in leased) throw unauthenticated();
    if ("paused" in leased) return c.json({ tasks: [], paused: leased.paused }, 200);
    return jsonText<z.infer<typeof LeasedTasksSchema>>(`{"tasks":[${leased.join(",")}]}`);
  })
  .openapi(complete, async (c) => {
    const { lease_id, result, evidence } = await readDocument(c.req.raw, CompleteRequest, "invalid-result");
    const resultJson = jsonOrRefuse(result, "/result", "invalid-result");
    const beside = evidenceJson(evidence);
    if ("error" in beside)
      throw invalid("invalid-result", "The request is invalid", [{ pointer: "/evidence", message: beside.error }]);
    const { id: taskId, ...where } = c.req.valid("param");
    return c.json(
      await applyAction(c.env, where, {
        recipients: mayWorkFor(c),
        action: "complete",
        taskId,
        leaseId: lease_id,
        resultJson,
        evidenceJson: beside.json,
      }),
      200,
    );
  })
  .openapi(fail, async (c) => {
    const { lease_id, error, retry } = await readDocument(c.req.raw, FailRequest, "invalid-failure");
    const { id: taskId, ...where } = c.req.valid("param");
    return c.json(
      await applyAction(c.env, where, {
        recipients: mayWorkFor(c),
        action: "fail",
        taskId,
        leaseId: lease_id,
        error,
        retry,
      }),
      200,
    );
  })
  .openapi(extend, async (c) => {
    const { lease_id, lease_ms } = await readDocument(c.req.raw, ExtendRequest, "invalid-lease");
    const { id: taskId, ...where } = c.req.valid("param");
    return c.json(
      await applyAction(c.env, where, {
        recipients: mayWorkFor(c),
        action: "extend",
        taskId,
        leaseId: lease_id,
        leaseMs: lease_ms,
      }),
      200,
    );
  })
  .openapi(release, async (c) => {
    const { lease_id } = await readDocument(c.req.raw, ReleaseRequest, "invalid-lease");
    const { id: taskId, ...where } = c.req.valid("param");
    return c.json(
      await applyAction(c.env, where, { recipients: mayWorkFor(c), action: "release", taskId, leaseId: lease_id }),
      200,
    );
  })
  .openapi(cancel, async (c) => {
    const { id: taskId, ...where } = c.req.valid("param");
    return c.json(
      await applyAction(c.env, where, {
        recipients: readableRecipients(c.get("grant"), where.q),
        action: "cancel",
        taskId,
      }),
      200,
    );
  })
  .openapi(retry, async (c) => {
    const { id: taskId, ...where } = c.req.valid("param");
    return c.json(
      await applyAction(c.env, where, {
        recipients: readableRecipients(c.get("grant"), where.q),
        action: "retry",
        taskId,
      }),
      200,
    );
  });

const otherList = () =>
  invalid("invalid-query", "The request is not valid", [
    { pointer: "after", message: "give `next` of an earlier page of the same list" },
  ]);

const CONFLICTS = {
  lost: "The lease is no longer held: the lease expired, or the task was released. Another worker may have the task.",
  finished: "The task has already ended.",
  unfinished: "The task has not ended: only a failed task can be retried.",
} as const;

const unknownTask = (queue: string, id: string) =>
  notFound(`The queue ${queue} knows no task "${id}". A task that finished long ago is forgotten.`);

/** Recipients whose tasks the caller may end. */
export const mayWorkFor = (c: { get(name: "grant"): Grant; req: { param(name: "q"): string } }) =>
  workableIn(c.get("grant"), c.req.param("q"));

export async function applyAction(env: Environment, { eco, q }: { eco: string; q: string }, action: TaskAction) {
  const queue = await existingQueue(env, eco, q);
  const answer = acceptedBy(await queue.applyAction(action));
  if ("foreign" in answer) throw new Refusal(refusedRecipient(q, action.recipients, answer.foreign));
  if (!("conflict" in answer)) return answer;
  const { conflict } = answer;
  if (conflict === "unknown") throw unknownTask(q, action.taskId);
  if (conflict === "full") throw refuseFull((await queue.status()).settings.capacity);
  const kind = conflict === "lost" ? "lease-lost" : conflict === "finished" ? "task-finished" : "task-unfinished";
  throw new Refusal(problem(kind, 409, "The action conflicts with the state of the task", CONFLICTS[conflict]));
}
