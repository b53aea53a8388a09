import type { DeadLetter } from "../dead-letters/dead-letter.ts";
import type { Decision } from "../policy/decision.ts";
import { QUEUE_NAME } from "../queue/task-input.ts";
import type { Signal } from "../signals/signal.ts";
import type { ChainTask } from "./api.ts";

export type TaskName = Pick<ChainTask, "queue" | "task_id" | "cause" | "rule">;

const QUEUE_SOURCE = "ganglion/queue/";

/**
 * The tasks that belong to a chain of signals. Decisions name the tasks of rules. A task that a caller enqueued with a cause
 * is found through the signal of its end or through its dead letter; while such a task runs, no index leads to it.
 */
export function tasksOfChain(
  decisions: readonly Decision[],
  signals: readonly Signal[],
  deadLetters: readonly DeadLetter[],
): TaskName[] {
  const found = new Map<string, TaskName>();
  const add = (name: TaskName) => {
    const key = keyOf(name);
    if (!found.has(key)) found.set(key, name);
  };
  for (const { tasks = [], signal, rule } of decisions)
    for (const { queue, task_id } of tasks) add({ queue, task_id, cause: signal.id, rule });
  for (const signal of signals) {
    const name = endedTask(signal);
    if (name !== undefined && signal.cause !== undefined) add({ ...name, cause: signal.cause });
  }
  for (const { kind, task, daemon } of deadLetters) {
    if (kind !== "task" || !daemon.startsWith(QUEUE_SOURCE)) continue;
    if (typeof task !== "object" || task === null || !("task_id" in task) || !("cause" in task)) continue;
    const { task_id, cause } = task;
    const queue = daemon.slice(QUEUE_SOURCE.length);
    if (typeof task_id === "string" && typeof cause === "string") add({ queue, task_id, cause });
  }
  return [...found.values()];
}

const ABOUT_TASKS: ReadonlySet<string> = new Set(["Q_TASK_COMPLETE", "Q_TASK_FAILED", "Q_TASK_VERIFIED"]);

/** The task whose end, or judgement, a signal reports, provided that a queue of this ecosystem emitted the signal. */
export function endedTask({ signal, source, facts }: Signal): { queue: string; task_id: string } | undefined {
  if (!ABOUT_TASKS.has(signal)) return undefined;
  const { queue, task_id } = facts;
  if (typeof queue !== "string" || typeof task_id !== "string") return undefined;
  return QUEUE_NAME.test(queue) && source === `${QUEUE_SOURCE}${queue}` ? { queue, task_id } : undefined;
}

const keyOf = ({ queue, task_id }: Pick<ChainTask, "queue" | "task_id">) => `${queue} ${task_id}`;
