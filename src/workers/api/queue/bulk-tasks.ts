import { createRoute, z } from "@hono/zod-openapi";
import { limitsAround } from "../../../core/json/limits.ts";
import { readJson } from "../../../core/json/read-json.ts";
import { admitRuledTask } from "../../../core/policy/accept-rule.ts";
import type { FieldError } from "../../../core/problem/field-error.ts";
import { problem } from "../../../core/problem/problem.ts";
import type { BulkItem, BulkReceipts } from "../../../core/queue/api.ts";
import type { NewTask } from "../../../core/queue/task.ts";
import { MAX_TASKS } from "../../../core/queue/task-input.ts";
import { parseJson, readBody } from "../http/body.ts";
import { repeatable } from "../http/once.ts";
import { QueuePath } from "../http/query.ts";
import { invalid, Refusal } from "../http/refusal.ts";
import { json, newApi, problems, securedForTasks } from "../http/route.ts";
import { beginQueue } from "./begin-queue.ts";
import { mustCommand } from "./commands.ts";
import { MAX_BULK_BYTES, MAX_BULK_TASKS } from "./requests.ts";
import { BulkReceiptsSchema } from "./schemas.ts";
import { withTraceOf } from "./tasks-body.ts";

const NAMING = { kind: "invalid-task", title: "The tasks are invalid; none was queued" };
const LINES = ["application/x-ndjson", "application/ndjson"] as const;
/** Errors of one task that its result names. */
const MAX_ERRORS = 5;

const enqueueMany = createRoute({
  method: "post",
  path: "/v1/{eco}/queues/{q}/tasks/bulk",
  operationId: "enqueueManyTasks",
  summary: "Queue many tasks, each by itself",
  description:
    `Takes an array, or a task a line (application/x-ndjson): ${MAX_BULK_TASKS} tasks and ${MAX_BULK_BYTES} bytes at most. ` +
    "A task that is invalid, or for which the queue has no room, is refused, and the others are queued. With a `task_id` for " +
    "each task, or an `Idempotency-Key` (1 MiB at most then), the request can safely be sent again.",
  tags: ["tasks"],
  ...securedForTasks("tasks:write"),
  request: {
    params: QueuePath,
    body: {
      required: true,
      content: {
        "application/json": { schema: { type: "array", items: { $ref: "#/components/schemas/NewTask" } } },
        "application/x-ndjson": { schema: z.string() },
      },
    },
  },
  responses: { 200: json(BulkReceiptsSchema, "What became of each task"), ...problems(400, 413, 415) },
});

export const bulkTasks = newApi().openapi(enqueueMany, async (c) => {
  const { eco, q } = c.req.valid("param");
  const items = await readItems(c.req.raw);
  const admitted: { readonly index: number; readonly task: NewTask }[] = [];
  const results: BulkItem[] = [];
  items.forEach((item, index) => {
    const admission = "error" in item ? { ok: false as const, errors: [item.error] } : admitRuledTask(item.value);
    if (!admission.ok) {
      results[index] = { index, ...idOf(item), status: "refused", error: describe(admission.errors) };
      return;
    }
    const taskId = admission.task.taskId ?? repeatable(c, index);
    admitted.push({ index, task: withTraceOf(c.req.raw, { ...admission.task, taskId }) });
  });
  mustCommand(
    c.get("grant"),
    q,
    admitted.map(({ task }) => task),
  );
  if (admitted.length > 0) {
    const queue = await beginQueue(c.env, eco, q, c.get("grant"));
    for (let from = 0; from < admitted.length; from += MAX_TASKS) {
      const part = admitted.slice(from, from + MAX_TASKS);
      const answer = await queue.enqueueEach(part.map(({ task }) => task));
      part.forEach(({ index, task: { taskId } }, place) => {
        const id = taskId === undefined ? {} : { task_id: taskId };
        if ("overloaded" in answer) {
          results[index] = { index, ...id, status: "refused", error: "the queue is overloaded", retry: true };
          return;
        }
        const receipt = answer.tasks[place];
        if (receipt === null || receipt === undefined)
          results[index] = { index, ...id, status: "refused", error: "the queue is full", retry: true };
        else results[index] = { index, task_id: receipt.task_id, status: receipt.known ? "known" : "queued" };
      });
    }
  }
  const count = (status: BulkItem["status"]) => results.filter((one) => one.status === status).length;
  const answer: BulkReceipts = {
    queued: count("queued"),
    known: count("known"),
    refused: count("refused"),
    results,
  };
  return c.json(answer, 200);
});

type Item = { readonly value: unknown } | { readonly error: FieldError };

/** The tasks of a request. A line that is no JSON is one task that is refused. */
async function readItems(request: Request): Promise<Item[]> {
  const { text, type } = await readBody(request, ["application/json", ...LINES], MAX_BULK_BYTES);
  if (type !== "application/json") {
    const lines = text.split("\n").filter((line) => line.trim() !== "");
    mayBeSent(lines.length);
    return lines.map(readLine);
  }
  const document = parseJson(text, NAMING, limitsAround(2));
  if (!Array.isArray(document)) {
    const message = "give an array of tasks, or send a task a line as application/x-ndjson";
    throw invalid(NAMING.kind, NAMING.title, [{ pointer: "", message }]);
  }
  mayBeSent(document.length);
  return document.map((value: unknown) => ({ value }));
}

function readLine(line: string): Item {
  const reading = readJson(line, limitsAround(1));
  if (reading.ok) return { value: reading.value };
  const [first] = reading.malformed === undefined ? reading.errors : [];
  return { error: first ?? { pointer: "", message: `is no JSON: ${reading.malformed}` } };
}

function mayBeSent(count: number): void {
  if (count === 0) throw invalid(NAMING.kind, NAMING.title, [{ pointer: "", message: "give at least one task" }]);
  if (count <= MAX_BULK_TASKS) return;
  const detail = `A request may hold ${MAX_BULK_TASKS} tasks. Send several requests.`;
  throw new Refusal(problem("too-large", 413, "Too many tasks", detail, { max_tasks: MAX_BULK_TASKS }));
}

function describe(errors: readonly FieldError[]): string {
  const named = errors.slice(0, MAX_ERRORS).map(({ pointer, message }) => `${pointer || "the task"} ${message}`);
  return named.join("; ");
}

/** The id that a refused task names, so that its sender finds it. */
function idOf(item: Item): { task_id?: string } {
  const value = "value" in item ? item.value : undefined;
  const id = typeof value === "object" && value !== null && "task_id" in value ? value.task_id : undefined;
  return typeof id === "string" ? { task_id: id.slice(0, 256) } : {};
}
