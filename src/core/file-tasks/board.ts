import { pruneDeep } from "../json/prune-deep.ts";
import type { Signal } from "../signals/signal.ts";
import type { FileTaskRecord, FileWorkerCounts } from "./api.ts";

/** The signals by which hosts report file tasks. */
export const BOARD_SIGNALS = ["Q_WORKER_TASK_STARTED", "Q_WORKER_TASK_COMPLETE", "Q_WORKER_TASK_FAILED"] as const;

/** The report of an attempt's end may arrive this long after its time limit, in milliseconds. */
const GRACE_MS = 60_000;

/**
 * Reads a report of a file task.
 *
 * @throws Error where a fact is missing or has another type
 */
export function readTaskReport({ signal, facts, received_at }: Signal): FileTaskRecord {
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
 * Applies a report to the record of its task. Hosts that share a directory report the same task over separate links, so
 * the start of an attempt may arrive after its end: a finished task stays finished.
 *
 * @returns `undefined` where the report changes nothing
 */
export function afterReport(before: FileTaskRecord | undefined, next: FileTaskRecord): FileTaskRecord | undefined {
  if (before === undefined) return next;
  if (before.status === "complete" || before.status === "failed") return undefined;
  if (next.status === "running") return next.attempt > before.attempt ? next : undefined;
  return { ...next, started_at: before.started_at };
}

/** Adds the new status of a task to the counts of its worker. */
export function countReport(
  before: FileWorkerCounts | undefined,
  task: FileTaskRecord,
  reportedAt: string,
): FileWorkerCounts {
  const { worker, host, status } = task;
  const counted = before ?? { worker, host, complete: 0, failed: 0, timed_out: 0, last_at: reportedAt };
  return {
    ...counted,
    complete: counted.complete + Number(status === "complete"),
    failed: counted.failed + Number(status === "failed"),
    timed_out: counted.timed_out + Number(status === "overdue"),
    last_at: reportedAt,
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

/** Reads a stored record of a file task. @throws TypeError where a field that the board depends on is missing */
export function readStoredFileTask(text: string): FileTaskRecord {
  const stored: unknown = JSON.parse(text);
  if (!hasTexts<FileTaskRecord>(stored, ["worker", "task_id", "claim", "status", "host", "started_at"]))
    throw new TypeError("a stored file task lacks worker, task_id, claim, status, host or started_at");
  return pruneDeep(stored);
}

/** Reads the stored counts of a worker. @throws TypeError where a field that the board depends on is missing */
export function readStoredFileWorker(text: string): FileWorkerCounts {
  const stored: unknown = JSON.parse(text);
  if (!hasTexts<FileWorkerCounts>(stored, ["worker", "host", "last_at"]))
    throw new TypeError("the stored counts of a worker of file tasks lack worker, host or last_at");
  return stored;
}

function hasTexts<Shape>(value: unknown, fields: readonly (string & keyof Shape)[]): value is Shape {
  if (typeof value !== "object" || value === null) return false;
  const entries = new Map<string, unknown>(Object.entries(value));
  return fields.every((field) => typeof entries.get(field) === "string");
}
