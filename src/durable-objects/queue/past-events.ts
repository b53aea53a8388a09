import type { TailedEvent } from "../../core/queue/event-tail.ts";
import type { FinishedTask, Task } from "../../core/queue/task.ts";
import type { TaskStore } from "./task-store.ts";

/** Tasks of each kind whose histories are read: as many as there are events in a tail. */
const MAX_TASKS = 1_000;

/**
 * The events of a queue before a time, oldest first, from the histories of the tasks that ended last and of those that came
 * last. So events outlive the sleep of the queue's object, and cost no row of their own.
 */
export function pastEvents(store: TaskStore, beforeMs: number): TailedEvent[] {
  const tasks: readonly (FinishedTask | Task)[] = [...store.done.records(MAX_TASKS), ...store.latest(MAX_TASKS)];
  const events = tasks.flatMap((task) =>
    task.history.flatMap((event) => (event.atMs < beforeMs ? [{ task, event }] : [])),
  );
  return events.sort((a, b) => a.event.atMs - b.event.atMs);
}
