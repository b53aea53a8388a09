import { admitRuledTask } from "../../../core/policy/accept-rule.ts";
import type { FieldError } from "../../../core/problem/field-error.ts";
import { problem } from "../../../core/problem/problem.ts";
import type { QueueOverloaded } from "../../../core/queue/api.ts";
import { queueFull } from "../../../core/queue/call-problems.ts";
import type { NewTask } from "../../../core/queue/task.ts";
import { jsonOf, MAX_TASKS } from "../../../core/queue/task-input.ts";
import { TRACEPARENT } from "../../../core/signals/signal.ts";
import { readJson } from "../http/body.ts";
import { invalid, overloaded, Refusal } from "../http/refusal.ts";

/** Reads one task or an array of tasks. One invalid task refuses the whole request. */
export async function readTasks(request: Request): Promise<NewTask[]> {
  const document = await readJson(request, { kind: "invalid-task", title: "The tasks are invalid; none was queued" });
  const many = Array.isArray(document);
  const inputs: unknown[] = many ? document : [document];
  if (inputs.length > MAX_TASKS) {
    throw new Refusal(
      problem("too-large", 413, "Too many tasks", `A request may hold ${MAX_TASKS} tasks. Send several requests.`, {
        max_tasks: MAX_TASKS,
      }),
    );
  }
  const tasks: NewTask[] = [];
  const errors: FieldError[] = [];
  inputs.forEach((input, place) => {
    const admission = admitRuledTask(input, many ? `/${place}` : "");
    if (admission.ok) tasks.push(withTraceOf(request, admission.task));
    else errors.push(...admission.errors);
  });
  if (inputs.length === 0) errors.push({ pointer: "", message: "give at least one task" });
  if (errors.length > 0)
    throw invalid("invalid-task", many ? "Some tasks are invalid; none was queued" : "The task is invalid", errors);
  return tasks;
}

/**
 * Has a task that names neither cause nor trace join the trace of its request: programs that are traced send the header by
 * themselves. A header that is no traceparent is left out, as the standard says.
 */
export function withTraceOf(request: Request, task: NewTask): NewTask {
  if (task.cause !== null || task.trace !== undefined) return task;
  const trace = request.headers.get("traceparent");
  return trace !== null && TRACEPARENT.test(trace) ? { ...task, trace } : task;
}

/** JSON of a value that is stored as it is. @throws Refusal where the value is too large or too deep */
export function jsonOrRefuse(value: unknown, pointer: string, kind: string): string {
  const json = jsonOf(value);
  if (typeof json === "string") return json;
  throw invalid(kind, "The request is invalid", [{ pointer, message: json.message }]);
}

/** Returns the answer of a queue. @throws Refusal where the queue is overloaded */
export function acceptedBy<Answer>(answer: Answer | QueueOverloaded): Answer {
  if (!isOverloaded(answer)) return answer;
  throw overloaded(
    "The queue could not write, or too many requests wait to be written. Nothing was kept: send the request again.",
    answer.retry_after_ms,
  );
}

export const refuseFull = (capacity: number) =>
  new Refusal(
    queueFull(
      capacity,
      `The queue holds ${capacity} unfinished tasks, its capacity. Nothing of the request was kept: try again later.`,
    ),
    { "Retry-After": "1" },
  );

function isOverloaded(answer: unknown): answer is QueueOverloaded {
  return typeof answer === "object" && answer !== null && "overloaded" in answer;
}
