import { type Problem, problem } from "../problem/problem.ts";
import type { FinishedTask } from "./task.ts";

/** The problem that answers a call which ended without a result. */
export function problemOfCall({
  taskId,
  outcome,
  error,
  worker,
}: Pick<FinishedTask, "taskId" | "outcome" | "error" | "worker">): Problem {
  const more = { correlation_id: taskId, responder: worker };
  if (outcome === "expired")
    return problem("call-timed-out", 504, "No worker took the call in time", error ?? undefined, more);
  if (outcome === "cancelled") return problem("call-cancelled", 409, "The call was cancelled", undefined, more);
  return problem("responder-failed", 502, "The responder failed", error ?? outcome, more);
}

export const noResponder = (recipient: string) =>
  problem("no-responder", 503, "No responder is connected", `No connected worker takes calls for ${recipient}.`);

/** @param detail - what was not stored, and what the caller can do */
export const queueFull = (capacity: number, detail = `It holds ${capacity} unfinished tasks, its capacity.`) =>
  problem("queue-full", 429, "The queue is full", detail, { capacity });

export const notACall = (correlationId: string) =>
  problem(
    "call-id-taken",
    409,
    "The id names another task",
    `The queue knows "${correlationId}" as a task of another recipient or type. Choose another correlation_id.`,
    { correlation_id: correlationId },
  );
