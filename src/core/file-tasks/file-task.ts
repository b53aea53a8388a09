import * as z from "zod";
import type { FieldError } from "../problem/field-error.ts";
import { IDENTIFIER, TRACEPARENT } from "../signals/signal.ts";

/** The name of a worker is also the name of its directory. */
export const WorkerName = z.string().regex(/^[a-z0-9][a-z0-9_-]{0,62}$/, {
  message: "a worker's name holds a-z, 0-9, _ and -, begins with a letter or digit, 63 at most",
});

export const TASK_ID_RULE = "a task's id holds letters, digits and . _ -, begins with a letter or digit, 128 at most";

/** A task id is part of file names: no slash, no leading dot, and no `~`, which separates the parts of a claim. */
export const FileTaskId = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/, { message: TASK_ID_RULE });

/** A task that a program writes as a file into `tasks/<worker>/`. Other fields reach the command unchanged. */
const FileTask = z.looseObject({
  task_id: FileTaskId,
  worker: WorkerName,
  description: z.string().optional(),
});
export type FileTask = z.infer<typeof FileTask>;

/** As the older watcher reads tasks: `description` is required, and `timeout`, in seconds, replaces that of the worker. */
const ClassicFileTask = FileTask.extend({
  description: z.string("give a text that says what to do").min(1, "give a text that says what to do"),
  timeout: z
    .number("give seconds")
    .positive("give more than 0 seconds")
    .max(86_400, "give 86400 seconds at most")
    .nullish(),
});

/** How the files of a worker look: as this agent writes them, or as the older watcher of file tasks does. */
export const FILE_TASK_LAYOUTS = ["ganglion", "classic"] as const;
export type FileTaskLayout = (typeof FILE_TASK_LAYOUTS)[number];

/** The signal that led to a file task, where the file names it by `cause`, `trace` and `depth`, as a signal does. */
export function causeOf({
  cause,
  trace,
  depth,
}: FileTask): { cause: string; trace?: string; depth: number } | undefined {
  // A cause that is not an id is a field of the program, which reaches the command like any other.
  if (typeof cause !== "string" || !IDENTIFIER.test(cause)) return undefined;
  return {
    cause,
    ...(typeof trace === "string" && TRACEPARENT.test(trace) ? { trace } : {}),
    depth: typeof depth === "number" && Number.isInteger(depth) && depth >= 1 && depth <= 1_000 ? depth : 1,
  };
}

/** The time limit that a task of the classic layout gives itself, in seconds. */
export const ownTimeout = ({ timeout }: FileTask): number | undefined =>
  typeof timeout === "number" ? timeout : undefined;

export type ReadFileTask =
  | { readonly ok: true; readonly task: FileTask }
  | { readonly ok: false; readonly reason: string; readonly errors?: readonly FieldError[] };

/**
 * Reads a file task. `task_id` and `worker` default to the names of the file and its directory. A `worker` in the file
 * must agree with the directory: a task in the directory of another worker is a mistake of the program that wrote it.
 *
 * @param stem - the file's name without `.json`
 */
export function readFileTask(
  value: unknown,
  worker: string,
  stem: string,
  layout: FileTaskLayout = "ganglion",
): ReadFileTask {
  if (value === null || typeof value !== "object" || Array.isArray(value))
    return { ok: false, reason: "a task is a JSON object {task_id, worker, description, …}" };
  const parsed = (layout === "classic" ? ClassicFileTask : FileTask).safeParse({ task_id: stem, worker, ...value });
  if (!parsed.success) {
    const errors = parsed.error.issues.map(({ path, message }) => ({ pointer: `/${path.join("/")}`, message }));
    return { ok: false, reason: "the task is not valid", errors };
  }
  const { data: task } = parsed;
  if (task.worker !== worker) {
    const message = `the file is in the directory of ${worker}; write it into the directory of ${task.worker}`;
    return { ok: false, reason: "the task is for another worker", errors: [{ pointer: "/worker", message }] };
  }
  return { ok: true, task };
}
