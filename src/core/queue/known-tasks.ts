import type { NewTask, TaskStatus } from "./task.ts";

/** The tasks that a queue knows by their ids, with their status. Of two with one id, the second is known by the first. */
export function knownTasks(
  tasks: readonly NewTask[],
  statusOf: (taskId: string) => TaskStatus | undefined,
): ReadonlyMap<NewTask, TaskStatus> {
  const known = new Map<NewTask, TaskStatus>();
  const given = new Set<string>();
  for (const task of tasks) {
    if (task.taskId === undefined) continue;
    const status = given.has(task.taskId) ? "queued" : statusOf(task.taskId);
    if (status !== undefined) known.set(task, status);
    given.add(task.taskId);
  }
  return known;
}
