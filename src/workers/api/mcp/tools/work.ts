import * as z from "zod";
import { LeasedTasks, TaskReceipts, TaskState, TaskView } from "../../../../core/queue/api.ts";
import { LeaseMs, QUEUE_NAME, QUEUE_RULE, TaskInput } from "../../../../core/queue/task-input.ts";
import { evidenceJson } from "../../../../core/queue/task-result.ts";
import { CompleteRequest, FailRequest, LeaseRequest } from "../../queue/requests.ts";
import { EdgeRefusal, path } from "../edge-calls.ts";
import { defineTool, READS } from "../tool.ts";
import { askAgent } from "./ask-agent.ts";

/** A model thinks for minutes between two calls. */
const LEASE_MS = 300_000;
/** Below the time after which clients give a call up. */
const MAX_WAIT_MS = 25_000;

const queue = z.string().regex(QUEUE_NAME, QUEUE_RULE).meta({ description: "Name of the queue" });
const task_id = z.string().min(1).meta({ description: "Id of the task" });
const lease_id = CompleteRequest.shape.lease_id.meta({ description: "Your lease, as take_task gave it" });
const lease_ms = LeaseMs.default(LEASE_MS).meta({
  description: `For how long the task is yours, in milliseconds; default ${LEASE_MS}`,
});

/** A change of a task by its worker. Ending a task twice by the same lease is harmless. */
const CHANGES_TASK = { readOnlyHint: false, destructiveHint: false, idempotentHint: true, openWorldHint: false };

const { timestamp: _, ...taskFields } = TaskInput.shape;

const enqueueTask = defineTool({
  name: "enqueue_task",
  title: "Enqueue a task",
  description:
    "Gives work to a recipient, or to anyone (*). Give a `task_id`, so that sending it again after a lost answer queues " +
    "nothing twice. `cause` is the id of the signal that led to it. Durations are in milliseconds.",
  operations: ["enqueueTasks"],
  scopes: ["tasks:write"],
  annotations: { readOnlyHint: false, destructiveHint: false, idempotentHint: false, openWorldHint: true },
  args: z.strictObject({ queue, ...taskFields, payload: z.unknown().meta({ description: "Any JSON" }) }),
  answer: TaskReceipts,
  run: ({ queue, ...body }, edge) => edge({ method: "POST", path: path`/queues/${queue}/tasks`, body }),
});

const takeTask = defineTool({
  name: "take_task",
  title: "Take a task",
  description:
    "Takes the most urgent task of a recipient, and waits for one up to `wait_ms`. Take one at a time: extend its lease " +
    "while you work, and finish it. `tasks` is empty where there is none. A task whose lease ends goes to another worker.",
  operations: ["leaseTasks"],
  scopes: ["tasks:work"],
  annotations: { readOnlyHint: false, destructiveHint: false, idempotentHint: false, openWorldHint: false },
  args: z.strictObject({
    queue,
    recipient: LeaseRequest.shape.recipient.meta({ description: "Whose tasks: your own name; * for those for anyone" }),
    lease_ms,
    wait_ms: z.int().min(0).max(MAX_WAIT_MS).default(0).meta({ description: "How long to wait for a task; default 0" }),
    worker: LeaseRequest.shape.worker.meta({ description: "Who takes it, for people; default: the recipient" }),
    host: LeaseRequest.shape.host.meta({
      description: "The host that you run on: tasks for what it has are yours, too",
    }),
    labels: LeaseRequest.shape.labels.meta({ description: "Labels of that host" }),
    skills: LeaseRequest.shape.skills.meta({ description: "What you can do: tasks that need it are yours, too" }),
  }),
  answer: LeasedTasks,
  run: ({ queue, ...body }, edge) => edge({ method: "POST", path: path`/queues/${queue}/lease`, body }),
});

const Extended = TaskState.extend({
  progress_signal: z.string().optional().meta({ description: "Id of the signal that says how far the work is" }),
  progress_refused: z.string().optional().meta({ description: "Why there is no such signal; the lease is extended" }),
});

const extendLease = defineTool({
  name: "extend_lease",
  title: "Extend a lease",
  description:
    "Keeps a task yours while you work on it: call it well before the lease ends. With `progress` others see how far you " +
    "are, by the signal Q_TASK_PROGRESS. A lost lease means that another worker may have the task: stop working on it.",
  operations: ["extendTask"],
  scopes: ["tasks:work"],
  annotations: CHANGES_TASK,
  args: z.strictObject({
    queue,
    task_id,
    lease_id,
    lease_ms,
    progress: z.string().min(1).max(1_024).optional().meta({ description: "How far you are, in a sentence" }),
    source: z.string().min(1).max(256).optional().meta({
      description: "Who says so in the signal; default: mcp. A token that is bound to sources needs one of them",
    }),
    cause: z
      .string()
      .optional()
      .meta({ description: "`cause` of the task, where it has one: the chain shows the progress" }),
  }),
  answer: Extended,
  run: async ({ queue, task_id, lease_id, lease_ms, progress, source = "mcp", cause }, edge) => {
    const extended = await edge({
      method: "POST",
      path: path`/queues/${queue}/tasks/${task_id}/extend`,
      body: { lease_id, lease_ms },
    });
    if (progress === undefined) return extended;
    const signal = { signal: "Q_TASK_PROGRESS", source, cause, facts: { queue, task_id, progress } };
    try {
      const { content } = await edge({ method: "POST", path: "/signals", body: signal });
      const { ids } = z.object({ ids: z.array(z.string()) }).parse(content);
      return { content: { ...extended.content, progress_signal: ids[0] } };
    } catch (error) {
      if (!(error instanceof EdgeRefusal)) throw error;
      const { title, detail = title } = error.problem;
      return { content: { ...extended.content, progress_refused: detail } };
    }
  },
});

const ACTIONS = ["complete", "fail", "release"] as const;

const finishTask = defineTool({
  name: "finish_task",
  title: "Finish a task",
  description:
    "Ends your work on a task: `complete` with its `result`, and as `evidence` what shows that it is done (a commit, the output " +
    "of a test, a URL); `fail` with the `error`, and `retry` false where another attempt would fail as well; `release` what " +
    "you have not begun. Sending it again is harmless.",
  operations: ["completeTask", "failTask", "releaseTask"],
  scopes: ["tasks:work"],
  annotations: CHANGES_TASK,
  args: z
    .strictObject({
      queue,
      task_id,
      lease_id,
      action: z.enum(ACTIONS).default("complete").meta({ description: "Default complete" }),
      result: z.unknown().optional().meta({ description: "Of complete: any JSON" }),
      evidence: z
        .array(z.string().min(1).max(4_096))
        .min(1)
        .max(32)
        .optional()
        .meta({ description: "Of complete: kept with the result, as its field `evidence`" }),
      error: FailRequest.shape.error.optional().meta({ description: "Of fail: what went wrong" }),
      retry: z.boolean().optional().meta({ description: "Of fail: whether the task is tried again; default true" }),
    })
    .refine(({ action, error }) => action !== "fail" || error !== undefined, {
      path: ["error"],
      message: "say what went wrong: fail needs it",
    }),
  answer: TaskState,
  run: ({ queue, task_id, lease_id, action, result, evidence, error, retry }, edge) => {
    const body = {
      complete: { lease_id, result: withEvidence(result, evidence), evidence: shortEvidence(evidence) },
      fail: { lease_id, error, retry },
      release: { lease_id },
    }[action];
    return edge({ method: "POST", path: `${path`/queues/${queue}/tasks/${task_id}/`}${action}`, body });
  },
});

/** What those who judge a task get beside the result; more than they take stands in the result alone. */
const shortEvidence = (evidence: readonly string[] | undefined) =>
  evidence !== undefined && "json" in evidenceJson(evidence) ? evidence : undefined;

/** A result that is an object gets one more field; any other becomes a field itself. */
function withEvidence(result: unknown, evidence: readonly string[] | undefined): unknown {
  if (evidence === undefined) return result;
  const isObject = typeof result === "object" && result !== null && !Array.isArray(result);
  return isObject ? { ...result, evidence } : { result: result ?? null, evidence };
}

const showTask = defineTool({
  name: "show_task",
  title: "Show a task",
  description: "A task with its history, its payload and its result.",
  operations: ["getTask"],
  scopes: ["tasks:read"],
  annotations: READS,
  args: z.strictObject({ queue, task_id }),
  answer: TaskView,
  run: ({ queue, task_id }, edge) => edge({ method: "GET", path: path`/queues/${queue}/tasks/${task_id}` }),
});

/** Tools about tasks, for those who give them and those who do them. */
export const workTools = [enqueueTask, takeTask, extendLease, finishTask, showTask, askAgent];
