import type { Signal } from "../signals/signal.ts";

/** Signals by which hosts tell of dropped tasks (R52). */
export const BOARD_SIGNALS = ["Q_WORKER_TASK_STARTED", "Q_WORKER_TASK_COMPLETE", "Q_WORKER_TASK_FAILED"] as const;

export type BoardStatus = "running" | "overdue" | "complete" | "failed";

/** What is known of a dropped task. Times are RFC 3339. */
export interface BoardTask {
  readonly worker: string;
  readonly task_id: string;
  /** Tells one drop of an id from a later one. */
  readonly claim: string;
  readonly status: BoardStatus;
  readonly host: string;
  readonly attempt: number;
  readonly started_at: string;
  /** When it is overdue, unless another attempt begins: its time limit, and what its host needs to say so. */
  readonly due_at?: string;
  readonly finished_at?: string;
  readonly duration_ms?: number;
  readonly error?: string;
  readonly result?: unknown;
  /** Where the result lies on its host, below the drop tree. */
  readonly result_path?: string;
}

/** Counts of a worker on a host since the beginning. */
export interface BoardWorker {
  readonly worker: string;
  readonly host: string;
  readonly complete: number;
  readonly failed: number;
  /** Attempts that nobody told the end of in time. */
  readonly timed_out: number;
  readonly last_at: string;
  readonly last_error?: string;
}

/** After its time limit an attempt's end may still be on its way for so long. */
const GRACE_MS = 60_000;

/** @throws Error for facts that are not a worker's */
export function readTask({ signal, facts, received_at }: Signal): BoardTask {
  const worker = text(facts, "worker");
  const task = { worker, task_id: text(facts, "task_id"), claim: text(facts, "claim"), host: text(facts, "host") };
  if (signal === "Q_WORKER_TASK_STARTED") {
    const dueMs = Date.parse(received_at) + count(facts, "timeout_ms") + GRACE_MS;
    const due_at = new Date(dueMs).toISOString();
    return { ...task, status: "running", attempt: count(facts, "attempt"), started_at: received_at, due_at };
  }
  const ended = { ...task, attempt: count(facts, "attempts"), started_at: received_at, finished_at: received_at };
  if (signal === "Q_WORKER_TASK_FAILED") return { ...ended, status: "failed", error: text(facts, "error") };
  return {
    ...ended,
    status: "complete",
    duration_ms: count(facts, "duration_ms"),
    ...(typeof facts.result_path === "string" && { result_path: facts.result_path }),
    ...("result" in facts && { result: facts.result }),
  };
}

/**
 * What is known after `next` came: `undefined` when it says nothing new. Hosts that share a directory tell of the same
 * task by ways of their own, so an attempt's beginning may come after its end; a task that is over stays over.
 */
export function afterReport(before: BoardTask | undefined, next: BoardTask): BoardTask | undefined {
  if (before === undefined) return next;
  if (before.status === "complete" || before.status === "failed") return undefined;
  if (next.status === "running") return next.attempt > before.attempt ? next : undefined;
  return { ...next, started_at: before.started_at };
}

/** Counts after a task of that worker came to `status`. */
export function countReport(before: BoardWorker | undefined, task: BoardTask, at: string): BoardWorker {
  const { worker, host, status } = task;
  const counted = before ?? { worker, host, complete: 0, failed: 0, timed_out: 0, last_at: at };
  return {
    ...counted,
    complete: counted.complete + Number(status === "complete"),
    failed: counted.failed + Number(status === "failed"),
    timed_out: counted.timed_out + Number(status === "overdue"),
    last_at: at,
    ...(task.error !== undefined && { last_error: task.error }),
  };
}

function text(facts: Readonly<Record<string, unknown>>, name: string): string {
  const value = facts[name];
  if (typeof value !== "string" || value === "") throw new Error(`facts.${name}: give a text`);
  return value;
}

function count(facts: Readonly<Record<string, unknown>>, name: string): number {
  const value = facts[name];
  if (typeof value !== "number" || !(value >= 0)) throw new Error(`facts.${name}: give a number, 0 or more`);
  return value;
}
