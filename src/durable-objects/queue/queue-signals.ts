import type { DeadLetterRecord } from "../../core/dead-letters/dead-letter.ts";
import { HOSTS_QUEUE } from "../../core/hosts/command-queue.ts";
import { pruneDeep } from "../../core/json/prune-deep.ts";
import { type AlertChange, alertText } from "../../core/queue/alert-tracker.ts";
import { breakerFacts } from "../../core/queue/breaker-status.ts";
import type { JudgedTask } from "../../core/queue/change-tracker.ts";
import type { Deadlock } from "../../core/queue/deadlock.ts";
import type { QueuePause } from "../../core/queue/pause.ts";
import type { FinishedTask, TaskCause } from "../../core/queue/task.ts";
import { finishedJson } from "../../core/queue/task-view.ts";
import { traceOf } from "../../core/signals/trace.ts";
import { taskKey } from "../../core/telemetry/task-spans.ts";
import type { Draft } from "../shell/outgoing-signal.ts";
import type { BulkJob } from "./bulk-step.ts";
import type { UnreadableTask } from "./stored-tasks.ts";

/** Largest result that goes into a signal, in characters. A larger result can be read from the task. */
export const RESULT_CHARS = 16_384;

/** What was stored before its depth was limited is cut; what is damaged stays text. One task stops no commit. */
export function asJson(text: string): unknown {
  try {
    return pruneDeep(JSON.parse(text));
  } catch {
    return text;
  }
}

export const queueOf = (name: string) => name.slice(name.indexOf("/") + 1);

export function taskSignal(name: string, record: FinishedTask): Draft {
  const good = record.outcome === "complete";
  const { taskId, recipient, type, sender, attempt, worker, waitedMs, ranMs, resultJson, error } = record;
  // What hosts answer to commands, such as lines of a log, is for those who may command them.
  const open = queueOf(name) !== HOSTS_QUEUE;
  const small = open && resultJson !== null && resultJson.length <= RESULT_CHARS;
  return {
    signal: good ? "Q_TASK_COMPLETE" : "Q_TASK_FAILED",
    source: `ganglion/queue/${queueOf(name)}`,
    timestampMs: record.finishedMs,
    facts: {
      queue: queueOf(name),
      task_id: taskId,
      recipient,
      type,
      sender,
      attempts: attempt,
      worker,
      waited_ms: waitedMs,
      ran_ms: ranMs,
      ...(good ? (small ? { result: asJson(resultJson) } : {}) : { outcome: record.outcome, error }),
    },
    ...(record.cause === null ? continues(record, name) : follows(record.cause, taskKey(name, record))),
  };
}

/** A task that was reported complete was judged. */
export function verdictSignal(name: string, { task, verdict, evidenceJson }: JudgedTask, nowMs: number): Draft {
  const { taskId, recipient, type, cause } = task;
  const { at: _, ...judged } = verdict;
  return {
    signal: "Q_TASK_VERIFIED",
    source: `ganglion/queue/${queueOf(name)}`,
    timestampMs: nowMs,
    facts: {
      queue: queueOf(name),
      task_id: taskId,
      recipient,
      type,
      ...judged,
      // The task forgets it with the judgement: from then on the log is where it can be read.
      ...(evidenceJson === null ? {} : { evidence: asJson(evidenceJson) }),
    },
    ...(cause === null ? continues(task, name) : follows(cause, `${taskKey(name, task)}/verdict/${verdict.attempt}`)),
  };
}

/** No signal led to the task: its own trace, if it has one, goes on. */
function continues(
  { trace, ...record }: Pick<FinishedTask, "trace" | "taskId" | "seq" | "createdMs">,
  name: string,
): Pick<Draft, "trace"> {
  if (trace === undefined) return {};
  const key = taskKey(name, record);
  return { trace: traceOf(key, { id: key, trace }) };
}

/** A task is not a signal: the signal about its end names the signal that led to the task as its cause. */
function follows({ id, trace, depth }: TaskCause, own: string): Pick<Draft, "cause" | "trace" | "depth"> {
  return { cause: id, trace: traceOf(own, { id, trace }), depth };
}

export function alertSignal(
  name: string,
  { rule, subject, state, severity, value, limit, raisedMs }: AlertChange,
  nowMs: number,
): Draft {
  return {
    signal: "Q_QUEUE_ALERT",
    source: `ganglion/queue/${queueOf(name)}`,
    timestampMs: nowMs,
    facts: {
      queue: queueOf(name),
      rule,
      subject,
      state,
      severity,
      value: Math.round(value),
      limit,
      raised_at: new Date(raisedMs).toISOString(),
      ...alertText(queueOf(name), { rule, subject, state, value, limit }),
    },
  };
}

export function deadlockSignal(name: string, { cycle, oldest }: Deadlock, nowMs: number): Draft {
  return {
    signal: "Q_QUEUE_DEADLOCK",
    source: `ganglion/queue/${queueOf(name)}`,
    timestampMs: nowMs,
    facts: {
      queue: queueOf(name),
      cycle,
      ended_call: oldest.taskId,
      sender: oldest.sender,
      recipient: oldest.recipient,
      waited_ms: nowMs - oldest.createdMs,
    },
  };
}

export function breakerSignal(name: string, change: Parameters<typeof breakerFacts>[1]): Draft {
  return {
    signal: "Q_QUEUE_BREAKER",
    source: `ganglion/queue/${queueOf(name)}`,
    timestampMs: change.atMs,
    facts: breakerFacts(queueOf(name), change),
  };
}

/** A task that failed for good, for people. */
export const failedLetter = (name: string, record: FinishedTask, payload: string): DeadLetterRecord => ({
  id: `${name}.${record.taskId}.${record.seq}`,
  kind: "task",
  task: asJson(finishedJson(record, payload)),
  error: record.error ?? record.outcome,
  daemon: `ganglion/queue/${queueOf(name)}`,
});

/** The row of a task that cannot be read. */
export const unreadableLetter = (
  name: string,
  { seq, terms, progress, error }: UnreadableTask,
  payload: string,
): DeadLetterRecord => ({
  id: `${name}.unreadable.${seq}`,
  kind: "task",
  task: { queue: queueOf(name), stored: { seq, terms, progress, payload: payload.slice(0, RESULT_CHARS) } },
  error: `the stored task could not be read: ${error}`,
  daemon: `ganglion/queue/${queueOf(name)}`,
});

/** The queue gives out no tasks from now on, or tasks again. */
export function pauseSignal(
  name: string,
  before: QueuePause | undefined,
  pause: QueuePause | undefined,
  by: string,
  nowMs: number,
): Draft {
  const { since, reason } = pause ?? before ?? { since: new Date(nowMs).toISOString(), reason: null };
  return {
    signal: "Q_QUEUE_PAUSE",
    source: `ganglion/queue/${queueOf(name)}`,
    timestampMs: nowMs,
    facts: { queue: queueOf(name), state: pause === undefined ? "resumed" : "paused", by, since, reason },
  };
}

/** All tasks of a filter were purged, cancelled or queued again. */
export function bulkSignal(
  name: string,
  { action, filter, done, by, startedMs }: BulkJob,
  stopped: string | undefined,
  nowMs: number,
): Draft {
  return {
    signal: "Q_QUEUE_BULK",
    source: `ganglion/queue/${queueOf(name)}`,
    timestampMs: nowMs,
    facts: {
      queue: queueOf(name),
      action,
      filter,
      done,
      by,
      started_at: new Date(startedMs).toISOString(),
      ...(stopped === undefined ? {} : { stopped }),
    },
  };
}
