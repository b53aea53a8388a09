import type { TaskView } from "../../src/core/queue/api.ts";

interface TaskFilter {
  /** In the id, the recipient, the type, the error or the payload; case is ignored. */
  readonly text: string;
  /** "": all. */
  readonly status: string;
}

/** Tasks that a reader wants to see. */
export function wantedTasks(tasks: readonly TaskView[], { text, status }: TaskFilter): TaskView[] {
  const wanted = text.trim().toLowerCase();
  return tasks.filter(
    (task) =>
      (status === "" || (task.outcome ?? task.status) === status || task.status === status) &&
      (wanted === "" || textOf(task).includes(wanted)),
  );
}

function textOf({ task_id, recipient, type, sender, worker, error, payload }: TaskView): string {
  return [task_id, recipient, type, sender, worker, error, JSON.stringify(payload)].join("\n").toLowerCase();
}
