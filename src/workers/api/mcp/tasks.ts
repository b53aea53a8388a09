import * as z from "zod";
import { TaskView } from "../../../core/queue/api.ts";
import { problemOfCall } from "../../../core/queue/call-problems.ts";
import { type AskEdge, type EdgeCall, path } from "./edge-calls.ts";
import { refusedResult, type ToolResult } from "./tool-result.ts";

/**
 * The extension by which a call of a tool that takes long becomes a task that its client looks after. Only questions to agents
 * do, and their tasks are those of the queue: nothing is kept for the extension.
 *
 * @see https://modelcontextprotocol.io/seps/2663
 */
export const TASKS = "io.modelcontextprotocol/tasks";
/** A finished task of a queue is known for a day. */
const TTL_MS = 86_400_000;
const POLL_INTERVAL_MS = 2_000;

/** Whether a client says that it can look after tasks. */
export function looksAfterTasks(capabilities: unknown): boolean {
  return Capabilities.safeParse(capabilities).data?.extensions?.[TASKS] !== undefined;
}
const Capabilities = z.looseObject({ extensions: z.record(z.string(), z.unknown()).optional() });

/** A task as the protocol has it. */
export interface ToolTask {
  readonly taskId: string;
  readonly status: "working" | "completed" | "cancelled";
  readonly createdAt: string;
  readonly lastUpdatedAt: string;
  readonly ttlMs: number;
  readonly pollIntervalMs: number;
}

/** Of which queue a task is, and which of its tasks: names of queues have no `/`. */
const Named = /^([^/]+)\/(.+)$/s;

const callOf = (taskId: string, method: EdgeCall["method"], action = ""): EdgeCall | undefined => {
  const [, queue, id] = Named.exec(taskId) ?? [];
  if (queue === undefined || id === undefined) return undefined;
  return { method, path: `${path`/queues/${queue}/tasks/${id}`}${action}` };
};

/** The call that reads a task; `undefined`: no task has such an id. */
export const readingTask = (taskId: string) => callOf(taskId, "GET");
/** The call that cancels a task; `undefined`: no task has such an id. */
export const cancellingTask = (taskId: string) => callOf(taskId, "POST", "/cancel");

/** A question that was asked, as a task. @throws EdgeRefusal where the queue does not hold it, or the token may not read it */
export async function taskOfQuestion(edge: AskEdge, queue: string, correlationId: string): Promise<ToolTask> {
  const taskId = `${queue}/${correlationId}`;
  const call = readingTask(taskId);
  if (call === undefined) throw new Error(`${taskId} is no id of a task`);
  return taskOf(taskId, TaskView.parse((await edge(call)).content));
}

/** What a client that looks after a task is told of it. */
export function detailedTask(taskId: string, content: unknown): ToolTask & { readonly result?: ToolResult } {
  const view = TaskView.parse(content);
  const task = taskOf(taskId, view);
  return task.status === "completed" ? { ...task, result: resultOf(view) } : task;
}

function taskOf(taskId: string, { status, outcome, created_at, finished_at }: TaskView): ToolTask {
  const ended = outcome === "cancelled" ? "cancelled" : "completed";
  return {
    taskId,
    status: status === "queued" || status === "running" || status === "verifying" ? "working" : ended,
    createdAt: created_at,
    lastUpdatedAt: finished_at ?? created_at,
    ttlMs: TTL_MS,
    pollIntervalMs: POLL_INTERVAL_MS,
  };
}

/** As the tool itself would have answered. A tool that failed has a result, too. */
function resultOf({ task_id, status, outcome = "failed", result, worker, error, ran_ms }: TaskView): ToolResult {
  if (status !== "complete")
    return refusedResult(problemOfCall({ outcome, error: error ?? null, taskId: task_id, worker: worker ?? null }));
  const reply = { correlation_id: task_id, status: "complete", result, responder: worker ?? null, duration_ms: ran_ms };
  return { content: [{ type: "text", text: JSON.stringify(reply) }], structuredContent: reply };
}
