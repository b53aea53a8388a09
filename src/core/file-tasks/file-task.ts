import * as z from "zod";
import type { FieldError } from "../problem/field-error.ts";
import { IDENTIFIER, TRACEPARENT } from "../signals/signal.ts";

/** A worker's name is a directory's name. */
export const WorkerName = z.string().regex(/^[a-z0-9][a-z0-9_-]{0,62}$/, {
  message: "a worker's name holds a-z, 0-9, _ and -, begins with a letter or digit, 63 at most",
});

/** A task's id is part of file names: no slash, no leading dot, and no `~`, which separates the parts of a claim. */
export const DropTaskId = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/, {
  message: "a task's id holds letters, digits and . _ -, begins with a letter or digit, 128 at most",
});

/** A task as a program drops it into `tasks/<worker>/` (R48). What else stands in it goes to the command as it is. */
const DroppedTask = z.looseObject({
  task_id: DropTaskId,
  worker: WorkerName,
  description: z.string().optional(),
});
export type DroppedTask = z.infer<typeof DroppedTask>;

/** The signal that led to a dropped task, where its file names one as a signal does: by `cause`, `trace` and `depth`. */
export function causeOf({
  cause,
  trace,
  depth,
}: DroppedTask): { cause: string; trace?: string; depth: number } | undefined {
  // What does not look like it is a field of the program's own, and goes to the command like any other.
  if (typeof cause !== "string" || !IDENTIFIER.test(cause)) return undefined;
  return {
    cause,
    ...(typeof trace === "string" && TRACEPARENT.test(trace) ? { trace } : {}),
    depth: typeof depth === "number" && Number.isInteger(depth) && depth >= 1 && depth <= 1_000 ? depth : 1,
  };
}

export type ReadTask =
  | { readonly ok: true; readonly task: DroppedTask }
  | { readonly ok: false; readonly reason: string; readonly errors?: readonly FieldError[] };

/**
 * Reads a dropped task. `task_id` and `worker` may be left out where the file's name and directory say them; where
 * they stand in the file they must agree with the directory, because a task for somebody else is a mistake of whoever
 * dropped it.
 *
 * @param stem - the file's name without `.json`
 */
export function readDroppedTask(value: unknown, worker: string, stem: string): ReadTask {
  if (value === null || typeof value !== "object" || Array.isArray(value))
    return { ok: false, reason: "a task is a JSON object {task_id, worker, description, …}" };
  const parsed = DroppedTask.safeParse({ task_id: stem, worker, ...value });
  if (!parsed.success) {
    const errors = parsed.error.issues.map(({ path, message }) => ({ pointer: `/${path.join("/")}`, message }));
    return { ok: false, reason: "the task is not valid", errors };
  }
  const { data: task } = parsed;
  if (task.worker !== worker) {
    const message = `the task lies in the directory of ${worker}; put it into that of the worker it is for`;
    return { ok: false, reason: "the task is for another worker", errors: [{ pointer: "/worker", message }] };
  }
  return { ok: true, task };
}
