import type { LeasedTask } from "../../core/queue/api.ts";
import { type TaskContext, TaskRefused, type Worker, type WorkOptions, work } from "./worker.ts";

/** Returns the reply, or throws: the caller is told that the responder failed, and why. */
export type Responder = (payload: unknown, context: TaskContext & { readonly task: LeasedTask }) => unknown;

/**
 * Answers calls for `recipient`. What is asked that is not among `types` is refused at once, and the caller told: one
 * recipient is one responder. A call is a task, so leases, retries and the graceful stop are those of {@link work}.
 *
 * @param options.concurrency - calls at a time; default 16
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
      throw new TaskRefused(`${recipient} does not answer ${task.type}, but ${[...known].join(", ")}`);
    },
    { concurrency: 16, ...options },
  );
}
