import * as z from "zod";
import {
  type BulkAction,
  BulkProgress,
  isOutcome,
  type Standing,
  standingsOf,
  TaskFilter,
} from "../../core/queue/bulk.ts";
import { FinishedPlace } from "../../core/queue/finished-query.ts";
import { standingOf } from "../../core/queue/proofs.ts";
import type { Lease } from "../../core/queue/task.ts";
import type { TaskQueue } from "../../core/queue/task-queue.ts";
import { retryTask } from "./apply-action.ts";
import { findFinished } from "./finished-search.ts";
import type { TaskStore } from "./task-store.ts";

/** Tasks that one transaction changes, and unfinished tasks that it looks at. */
const STEP_TASKS = 500;
const STEP_ROWS = 5_000;

/** A bulk action that runs, as it is stored with each of its steps. */
export const BulkJob = BulkProgress.omit({ started_at: true, running: true, stopped: true }).extend({
  filter: TaskFilter,
  startedMs: z.number(),
  /** Tasks that came later have this place in the order, or a later one. */
  untilSeq: z.number(),
  /** Recipients whose tasks may be changed; absent: all. */
  recipients: z.array(z.string()).optional(),
  /** How far it has come. */
  afterSeq: z.number(),
  afterPlace: FinishedPlace.nullable(),
});
export type BulkJob = Readonly<z.infer<typeof BulkJob>>;

export interface BulkStep {
  readonly job: BulkJob;
  /** Whether that was all; a text: why it ended before. */
  readonly over: boolean | string;
  /** Leases of running tasks that ended: their holders have to be notified. */
  readonly cancelled: readonly (readonly [taskId: string, lease: Lease])[];
}

type JobTerms = Pick<BulkJob, "action" | "filter" | "startedMs" | "untilSeq" | "recipients">;

/** The filter of an action as the store reads it. */
export function selectionOf({ action, filter, startedMs, untilSeq, recipients }: JobTerms) {
  const found = standingsOf(action, filter);
  const standings: readonly Standing[] = typeof found === "string" ? [] : found;
  return {
    standings: standings.filter((standing) => !isOutcome(standing)),
    outcomes: standings.filter(isOutcome),
    recipient: filter.recipient,
    type: filter.type,
    recipients,
    untilSeq,
    /** Exclusive. */
    untilMs: filter.older_than_ms === undefined ? startedMs + 1 : startedMs - filter.older_than_ms,
  };
}

/** Does the next part of a bulk action. Must run in a transaction. */
export function bulkStep(job: BulkJob, queue: TaskQueue, store: TaskStore, sql: SqlStorage, nowMs: number): BulkStep {
  const selection = selectionOf(job);
  if (selection.standings.length > 0) return unfinishedStep(job, queue, store, nowMs);
  const { rows, next } = findFinished(sql, {
    ...selection,
    limit: STEP_TASKS,
    payloads: false,
    after: job.afterPlace ?? undefined,
  });
  let done = job.done;
  for (const { task_id } of rows) {
    const answer = endedTask(job.action, task_id, queue, store, nowMs);
    if (answer === "full") return { job: { ...job, done }, over: "the queue is full", cancelled: [] };
    if (answer) done++;
  }
  return { job: { ...job, done, afterPlace: next }, over: next === null, cancelled: [] };
}

function endedTask(action: BulkAction, taskId: string, queue: TaskQueue, store: TaskStore, nowMs: number) {
  if (action === "purge") {
    store.done.delete(taskId);
    return true;
  }
  const answer = retryTask(taskId, queue, store, nowMs);
  return "conflict" in answer ? answer.conflict === "full" && "full" : true;
}

function unfinishedStep(job: BulkJob, queue: TaskQueue, store: TaskStore, nowMs: number): BulkStep {
  const { standings, untilMs, ...selection } = selectionOf(job);
  const { found, next } = store.select({ ...selection, after: job.afterSeq, limit: STEP_TASKS, rows: STEP_ROWS });
  const cancelled: (readonly [string, Lease])[] = [];
  let done = job.done;
  for (const { taskId } of found) {
    const entry = queue.find(taskId);
    if (entry === undefined || entry.createdMs >= untilMs) continue;
    // As the queue knows the task: storage has no renewals.
    if (!standings.some((standing) => standing === standingOf(entry))) continue;
    const purge = job.action === "purge";
    const result = queue.cancel(taskId, nowMs, { error: `${purge ? "purged" : "cancelled"} by ${job.by}`, purge });
    if (!result.ok) continue;
    done++;
    if (result.cancelled !== null && result.cancelled !== undefined) cancelled.push([taskId, result.cancelled]);
  }
  return { job: { ...job, done, afterSeq: next ?? job.untilSeq }, over: next === null, cancelled };
}
