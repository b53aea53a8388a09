import type { LeasedTask } from "../../core/queue/api.ts";
import { type TaskContext, TaskRefused } from "./task-handler.ts";
import { type Worker, type WorkOptions, work } from "./worker.ts";

/** Returns the result of the call, or throws: then the call has failed, and the caller gets the error's message. */
export type Responder = (payload: unknown, context: TaskContext & { readonly task: LeasedTask }) => unknown;

/**
 * Answers calls for `recipient`. A call of another type than `types` fails at once, because a recipient has one
 * responder. A call is a task, so leases, retries and the graceful stop are those of {@link work}.
 *
 * @param options.concurrency - most calls at a time; default 16
 */
export function answer(
  queue: string,
  recipient: string,
  types: string | readonly string[],
  responder: Responder,
  options: WorkOptions,
): Worker {
  const known = new Set([types].flat());
  return work(
    queue,
    recipient,
    (task, context) => {
      if (known.has(task.type)) return responder(task.payload, { ...context, task });
      throw new TaskRefused(`${recipient} does not answer ${task.type}. It answers: ${[...known].join(", ")}`);
    },
    { concurrency: 16, ...options },
  );
}
