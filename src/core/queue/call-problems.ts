import { type Problem, problem } from "../problem/problem.ts";
import type { FinishedTask } from "./task.ts";

/** What went wrong with a call that has ended without a result. */
export function problemOfCall({
  taskId,
  outcome,
  error,
  worker,
}: Pick<FinishedTask, "taskId" | "outcome" | "error" | "worker">): Problem {
  const more = { correlation_id: taskId, responder: worker };
  if (outcome === "expired")
    return problem("call-timed-out", 504, "Nobody took the call in time", error ?? undefined, more);
  if (outcome === "cancelled") return problem("call-cancelled", 409, "The call was cancelled", undefined, more);
  const detail = error ?? outcome;
  return problem("responder-failed", 502, "The responder failed", detail, more);
}

export const noResponder = (recipient: string) =>
  problem(
    "no-responder",
    503,
    "Nobody is there to answer",
    `No worker is connected that takes calls for ${recipient}.`,
  );
