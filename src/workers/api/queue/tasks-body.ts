import type { FieldError } from "../../../core/problem/field-error.ts";
import { problem } from "../../../core/problem/problem.ts";
import type { QueueOverloaded } from "../../../core/queue/api.ts";
import type { NewTask } from "../../../core/queue/task.ts";
import { admitTask, jsonOf, MAX_TASKS } from "../../../core/queue/task-input.ts";
import { readJson } from "../http/body.ts";
import { invalid, overloaded, Refusal } from "../http/refusal.ts";

/** Reads one task or an array of them. All or nothing: one invalid task refuses the request. */
export async function readTasks(request: Request): Promise<NewTask[]> {
  const document = await readJson(request);
  const many = Array.isArray(document);
  const inputs: unknown[] = many ? document : [document];
  if (inputs.length > MAX_TASKS) {
    throw new Refusal(
      problem("too-large", 413, "Too many tasks", `A request may hold ${MAX_TASKS} tasks: send several.`, {
        max_tasks: MAX_TASKS,
      }),
    );
  }
  const tasks: NewTask[] = [];
  const errors: FieldError[] = [];
  inputs.forEach((input, place) => {
    const admission = admitTask(input, many ? `/${place}` : "");
    if (admission.ok) tasks.push(admission.task);
    else errors.push(...admission.errors);
  });
  if (inputs.length === 0) errors.push({ pointer: "", message: "give at least one task" });
  if (errors.length > 0)
    throw invalid("invalid-task", many ? "Some tasks are not valid; none was kept" : "The task is not valid", errors);
  return tasks;
}

/** JSON of a part of the body that is kept as it is. */
export function keptJson(value: unknown, pointer: string, kind: string): string {
  const json = jsonOf(value);
  if (typeof json === "string") return json;
  throw invalid(kind, "The request is not valid", [{ pointer, message: json.message }]);
}

/** Passes an answer on, or ends the request where the queue could not take it. */
export function taken<Answer>(answer: Answer | QueueOverloaded): Answer {
  if (typeof answer === "object" && answer !== null && "overloaded" in answer) {
    throw overloaded(
      "The queue has more waiting to be written than it may hold, or could not write.",
      answer.retry_after_ms,
    );
  }
  return answer as Answer;
}

export const queueFull = (capacity: number) =>
  new Refusal(
    problem(
      "queue-full",
      429,
      "The queue is full",
      `It holds ${capacity} unfinished tasks, as many as it may; none of the request was kept. Try again when some are done.`,
      { capacity },
    ),
    { "Retry-After": "1" },
  );
