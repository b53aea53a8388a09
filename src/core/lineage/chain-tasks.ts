import type { DeadLetter } from "../dead-letters/dead-letter.ts";
import type { Decision } from "../policy/decision.ts";
import type { TaskStatus } from "../queue/task.ts";
import { QUEUE_NAME } from "../queue/task-input.ts";
import type { Signal } from "../signals/signal.ts";

/** A task of a chain of signals, and what is known of it. */
export interface ChainTask {
  readonly queue: string;
  readonly task_id: string;
  /** Id of the signal that led to it. */
  readonly cause: string;
  /** The rule that put it into its queue, where one did. */
  readonly rule?: string;
  /** `unknown`: it ended more than a day ago, or its queue was full and never took it. */
  readonly status: TaskStatus | "unknown";
  readonly outcome?: string;
  readonly recipient?: string;
  readonly type?: string;
  readonly attempt?: number;
  readonly worker?: string;
  readonly error?: string;
}

export type TaskName = Pick<ChainTask, "queue" | "task_id" | "cause" | "rule">;

const QUEUE_SOURCE = "ganglion/queue/";

/**
 * Which tasks belong to a chain: rules' decisions name theirs. Of one that somebody else put into a queue, with a
 * cause, its end tells, or its dead letter; there is no index by which one could be found that still runs.
 */
export function tasksOfChain(
  decisions: readonly Decision[],
  signals: readonly Signal[],
  letters: readonly DeadLetter[],
): TaskName[] {
  const found = new Map<string, TaskName>();
  const add = (name: TaskName) => {
    const key = keyOf(name);
    if (!found.has(key)) found.set(key, name);
  };
  for (const { tasks = [], signal, rule } of decisions)
    for (const { queue, task_id } of tasks) add({ queue, task_id, cause: signal.id, rule });
  for (const signal of signals) {
    const name = taskEnded(signal);
    if (name !== undefined && signal.cause !== undefined) add({ ...name, cause: signal.cause });
  }
  for (const { kind, task, daemon } of letters) {
    if (kind !== "task" || !daemon.startsWith(QUEUE_SOURCE)) continue;
    const { task_id, cause } = task as { task_id?: unknown; cause?: unknown };
    const queue = daemon.slice(QUEUE_SOURCE.length);
    if (typeof task_id === "string" && typeof cause === "string") add({ queue, task_id, cause });
  }
  return [...found.values()];
}

/** The task whose end a signal tells, where a queue of this ecosystem said it. */
export function taskEnded({ signal, source, facts }: Signal): { queue: string; task_id: string } | undefined {
  if (signal !== "Q_TASK_COMPLETE" && signal !== "Q_TASK_FAILED") return undefined;
  const { queue, task_id } = facts;
  if (typeof queue !== "string" || typeof task_id !== "string") return undefined;
  return QUEUE_NAME.test(queue) && source === `${QUEUE_SOURCE}${queue}` ? { queue, task_id } : undefined;
}

const keyOf = ({ queue, task_id }: Pick<ChainTask, "queue" | "task_id">) => `${queue} ${task_id}`;
