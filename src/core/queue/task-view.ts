import type * as z from "zod";
import { formatTimestamp } from "../signals/timestamp.ts";
import { type Verifying, waitsForText } from "./accept.ts";
import type { Entry } from "./entry.ts";
import type { Parked } from "./limit-gate.ts";
import { readNeeds } from "./needs.ts";
import { standingOf } from "./proofs.ts";
import { type FinishedTask, statusOf, type TaskEvent } from "./task.ts";

/** Why no worker is given a task. */
interface Waits extends Parked {
  /** No worker has what it needs. */
  readonly unplaced?: string | undefined;
}

/** A {@link LeasedTask} as JSON text. The payload is passed through as it was stored, without parsing. */
export function leasedJson(entry: Entry, payloadJson: string): string {
  const { lease, taskId, recipient, type, priority, attempt, sender, caller, cause, needs } = entry;
  // JSON.stringify leaves out what is undefined.
  const head = JSON.stringify({
    task_id: taskId,
    lease_id: lease?.id,
    recipient,
    type,
    priority,
    attempt,
    sender,
    lease_expires_at: formatTimestamp(lease?.expiresMs ?? 0),
    correlation_id: caller === null ? undefined : taskId,
    needs: needs && readNeeds(needs),
    limits: entry.limits,
    answers: entry.answers,
    accept: entry.accept,
    verdict: entry.verdict,
    cause: cause?.id,
    trace: cause === null ? entry.trace : cause.trace,
    depth: cause?.depth,
  });
  return `${head.slice(0, -1)},"payload":${payloadJson}}`;
}

/** An unfinished task as the JSON text of a {@link TaskView}. @param waits - why no worker is given it */
export function entryJson(entry: Entry, payloadJson: string, { unplaced, ...parked }: Waits = {}): string {
  const { lease, readyMs, state, waitsFor, answers } = entry;
  const head = {
    ...termsView(entry),
    status: standingOf(entry),
    attempt: entry.attempt,
    ...(state === "ready" || state === "delayed" ? parked : {}),
    ...(state === "delayed" ? { ready_at: formatTimestamp(readyMs) } : {}),
    ...(waitsFor === undefined ? {} : { waits_for: waitsFor }),
    ...(answers === undefined ? {} : { answers }),
    ...verifyingView(entry),
    ...(entry.verdict === undefined ? {} : { verdict: entry.verdict }),
    ...(lease === null
      ? {}
      : { worker: lease.worker, lease_id: lease.id, lease_expires_at: formatTimestamp(lease.expiresMs) }),
    ...(unplaced === undefined ? {} : { unplaced }),
    waited_ms: entry.waitedMs,
    ran_ms: entry.ranMs,
    history: entry.history.map(eventView),
  };
  return `${JSON.stringify(head).slice(0, -1)},"payload":${payloadJson}}`;
}

/** A finished task as the JSON text of a {@link TaskView}. */
export function finishedJson(record: FinishedTask, payloadJson: string): string {
  const head = {
    ...termsView(record),
    status: statusOf(record.outcome),
    outcome: record.outcome,
    attempt: record.attempt,
    ...(record.worker === null ? {} : { worker: record.worker }),
    ...(record.error === null ? {} : { error: record.error }),
    ...(record.verdict === undefined ? {} : { verdict: record.verdict }),
    finished_at: formatTimestamp(record.finishedMs),
    waited_ms: record.waitedMs,
    ran_ms: record.ranMs,
    history: record.history.map(eventView),
  };
  return `${JSON.stringify(head).slice(0, -1)},"payload":${payloadJson},"result":${record.resultJson ?? "null"}}`;
}

function verifyingView({ proof, accept }: Entry): { verifying?: z.infer<typeof Verifying> } {
  if (proof === undefined || accept === undefined) return {};
  return { verifying: { since: formatTimestamp(proof.sinceMs), worker: proof.worker, why: waitsForText(accept) } };
}

function termsView(task: Entry | FinishedTask) {
  return {
    task_id: task.taskId,
    recipient: task.recipient,
    type: task.type,
    sender: task.sender,
    priority: task.priority,
    created_at: formatTimestamp(task.createdMs),
    max_attempts: task.maxAttempts,
    timeout_ms: task.timeoutMs,
    deadline_at: task.deadlineAtMs === null ? null : formatTimestamp(task.deadlineAtMs),
    ...causeView(task),
    ...needsView(task),
    ...(task.accept === undefined ? {} : { accept: task.accept }),
  };
}

/** As the task was given. */
const needsView = ({ needs, limits }: Pick<Entry, "needs" | "limits">) => ({
  ...(needs === undefined ? {} : { needs: readNeeds(needs) }),
  ...(limits === undefined ? {} : { limits }),
});

interface TaskCauseView {
  readonly cause: string;
  readonly trace: string;
  readonly depth: number;
}

/** The cause of a task in the fields by which a signal names its cause. */
function causeView({ cause, trace: own }: Pick<Entry, "cause" | "trace">): Partial<TaskCauseView> {
  if (cause === null) return own === undefined ? {} : { trace: own };
  const { id, trace, depth } = cause;
  return { cause: id, ...(trace === undefined ? {} : { trace }), depth };
}

function eventView({ atMs, ...event }: TaskEvent) {
  return { at: formatTimestamp(atMs), ...event };
}
