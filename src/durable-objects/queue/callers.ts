import type { CallAnswer } from "../../core/queue/api.ts";
import { problemOfCall } from "../../core/queue/call-problems.ts";
import type { FinishedTask } from "../../core/queue/task.ts";

/**
 * Told how the call ended; `null`: the queue has lost it, and it is to be sent again. Replies remembered for nobody would
 * be a leak: a caller that leaves is taken out.
 */
type Listener = (record: FinishedTask | null) => void;

/** Who waits in memory for the end of a call. A caller over a channel is also named in the task, which outlives this. */
export class Callers {
  readonly #listeners = new Map<string, Set<Listener>>();

  add(correlationId: string, listener: Listener): void {
    const known = this.#listeners.get(correlationId);
    if (known === undefined) this.#listeners.set(correlationId, new Set([listener]));
    else known.add(listener);
  }

  remove(correlationId: string, listener: Listener): void {
    const known = this.#listeners.get(correlationId);
    known?.delete(listener);
    if (known?.size === 0) this.#listeners.delete(correlationId);
  }

  tell(correlationId: string, record: FinishedTask | null): void {
    const listeners = this.#listeners.get(correlationId);
    if (listeners === undefined) return;
    this.#listeners.delete(correlationId);
    for (const listener of listeners) listener(record);
  }
}

export function answerOf(record: FinishedTask): CallAnswer {
  const { taskId, outcome, resultJson, error, worker, finishedMs, createdMs } = record;
  const duration_ms = Math.max(0, finishedMs - createdMs);
  return { correlation_id: taskId, outcome, resultJson, error, responder: worker, duration_ms };
}

export function replyFrame(record: FinishedTask): string {
  const names = `"type":"reply","correlation_id":${JSON.stringify(record.taskId)}`;
  if (record.outcome !== "complete") return `{${names},"problem":${JSON.stringify(problemOfCall(record))}}`;
  const duration = Math.max(0, record.finishedMs - record.createdMs);
  const who = JSON.stringify(record.worker);
  return `{${names},"result":${record.resultJson ?? "null"},"responder":${who},"duration_ms":${duration}}`;
}
