import type { CallAnswer } from "../../core/queue/api.ts";
import type { BreakerRefusal } from "../../core/queue/breaker-status.ts";
import { problemOfCall } from "../../core/queue/call-problems.ts";
import type { FinishedTask } from "../../core/queue/task.ts";

/** @param record - how the call ended; `null`: the queue has lost the call, and the caller has to send it again */
type Listener = (record: FinishedTask | null) => void;

/**
 * Callers that wait in memory for the end of a call. A caller that stops waiting must remove its listener, or the
 * listener leaks. (A caller over a channel is also named in the task, which outlives this memory.)
 */
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

  notify(correlationId: string, record: FinishedTask | null): void {
    const listeners = this.#listeners.get(correlationId);
    if (listeners === undefined) return;
    this.#listeners.delete(correlationId);
    for (const listener of listeners) listener(record);
  }

  /** The queue has lost all of its calls. */
  notifyAllLost(): void {
    for (const id of [...this.#listeners.keys()]) this.notify(id, null);
  }
}

export function answerOf(record: FinishedTask): CallAnswer {
  const { taskId, outcome, resultJson, error, worker, finishedMs, createdMs } = record;
  const duration_ms = Math.max(0, finishedMs - createdMs);
  return { correlation_id: taskId, outcome, resultJson, error, responder: worker, duration_ms };
}

/** The answer that stands for a reply while the breaker is open, as the text of a `reply` frame. */
export function fallbackFrame(correlationId: string, fallback: NonNullable<BreakerRefusal["fallback"]>): string {
  const { resultJson, source, confidence } = fallback;
  const head = { type: "reply", correlation_id: correlationId, responder: null, duration_ms: 0, source, confidence };
  return `${JSON.stringify(head).slice(0, -1)},"result":${resultJson}}`;
}

/** The end of a call as the text of a `reply` frame. The result is passed through as it was stored, without parsing. */
export function replyFrame(record: FinishedTask): string {
  const head = `"type":"reply","correlation_id":${JSON.stringify(record.taskId)}`;
  if (record.outcome !== "complete") return `{${head},"problem":${JSON.stringify(problemOfCall(record))}}`;
  const duration = Math.max(0, record.finishedMs - record.createdMs);
  const responder = JSON.stringify(record.worker);
  return `{${head},"result":${record.resultJson ?? "null"},"responder":${responder},"duration_ms":${duration}}`;
}
