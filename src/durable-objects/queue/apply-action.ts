import { isBoundTo } from "../../core/access/bindings.ts";
import { actOnMail, readMail } from "../../core/mail/mailbox.ts";
import { isReview, judgementOfReview, reviewId } from "../../core/queue/accept.ts";
import type { AwaitedAnswer } from "../../core/queue/awaited-answer.ts";
import type { Lease, NewTask } from "../../core/queue/task.ts";
import type { TaskAction, TaskActionAnswer } from "../../core/queue/task-action.ts";
import type { TransitionResult } from "../../core/queue/task-answers.ts";
import type { TaskQueue } from "../../core/queue/task-queue.ts";
import { formatTimestamp } from "../../core/signals/timestamp.ts";
import { operationOf, type QueueOperation } from "./operation.ts";
import type { TaskStore } from "./task-store.ts";
import type { WorkSockets } from "./work-sockets.ts";
import { worksFor } from "./worker-rights.ts";

interface TaskActionOutcome {
  readonly answer: TaskActionAnswer;
  /** The lease of a running task that was cancelled: its holder has to be notified. */
  readonly cancelled?: Lease | undefined;
}

/** The parts of a queue's object by which actions are carried out. */
export interface Acting {
  readonly store: () => TaskStore;
  readonly sockets: () => WorkSockets;
}

export function actionOperation(
  action: TaskAction,
  { store, sockets }: Acting,
  answer: (answer: TaskActionAnswer) => void,
  refuse: () => void,
): QueueOperation {
  return operationOf(
    (queue, nowMs) => applyAction(action, queue, store(), nowMs),
    (outcome) => {
      if (outcome.cancelled !== undefined) sockets().notifyCancelled(action.taskId, outcome.cancelled);
      answer(outcome.answer);
    },
    refuse,
    [action],
  );
}

/** Carries out an action on one task. Must run in a transaction. */
function applyAction(action: TaskAction, queue: TaskQueue, store: TaskStore, nowMs: number): TaskActionOutcome {
  const { recipients, taskId } = action;
  if (recipients !== undefined) {
    const recipient = (queue.find(taskId) ?? store.done.find(taskId)?.record)?.recipient;
    if (recipient !== undefined && !mayAct(action.action, recipients, recipient))
      return { answer: { foreign: recipient } };
  }
  if (action.action === "retry") return { answer: retryTask(action.taskId, queue, store, nowMs) };
  const result = transition(action, queue, nowMs);
  if (!result.ok) {
    const mail = action.action === "read" || action.action === "act";
    // What a recipient says again of a message that it acted on is true, and changes nothing.
    const done = mail && store.done.find(taskId)?.record.outcome === "complete";
    return { answer: done ? { task_id: taskId, status: "complete" } : { conflict: result.reason } };
  }
  const { status, expiresMs, cancelled } = result;
  const answer = { task_id: action.taskId, status };
  return {
    answer: expiresMs === undefined ? answer : { ...answer, lease_expires_at: formatTimestamp(expiresMs) },
    ...(cancelled === undefined || cancelled === null ? {} : { cancelled }),
  };
}

/** A task for anyone is cancelled and retried by those alone who are bound to no recipient. */
function mayAct(action: TaskAction["action"], recipients: readonly string[], recipient: string): boolean {
  return action === "cancel" || action === "retry" ? isBoundTo(recipients, recipient) : worksFor(recipients, recipient);
}

function transition(
  action: Exclude<TaskAction, { action: "retry" }>,
  queue: TaskQueue,
  nowMs: number,
): TransitionResult {
  switch (action.action) {
    case "complete":
      return queue.complete(action.taskId, action.leaseId, action.resultJson, nowMs, action.evidenceJson);
    case "fail":
      return queue.fail(action.taskId, action.leaseId, action.error, action.retry, nowMs);
    case "extend":
      return queue.extend(action.taskId, action.leaseId, action.leaseMs, nowMs);
    case "release":
      return queue.release(action.taskId, action.leaseId, nowMs);
    case "park":
      return queue.parking.park(action.taskId, action.leaseId, action.wish, nowMs);
    case "answer":
      return answerTask(queue, action.taskId, action.answer, nowMs);
    case "judge":
      return queue.proofs.judge(action.taskId, action.proof, action.judgement, nowMs);
    case "read":
      return readMail(queue, action, nowMs);
    case "act":
      return actOnMail(queue, action, nowMs);
    case "cancel":
      return queue.cancel(action.taskId, nowMs);
  }
}

/** The end of a question is the judgement of a reviewer, or something that the task's worker asked. */
function answerTask(queue: TaskQueue, taskId: string, answer: AwaitedAnswer, nowMs: number): TransitionResult {
  const proof = queue.find(taskId)?.proof;
  if (!isReview(answer.question)) return queue.parking.answer(taskId, answer, nowMs);
  // Of an earlier report of the task: it has been judged, or the task was cancelled.
  if (proof === undefined || answer.question !== reviewId(proof.id, proof.round)) return { ok: false, reason: "lost" };
  const judgement = judgementOfReview(answer);
  if (judgement !== undefined) return queue.proofs.judge(taskId, proof.id, judgement, nowMs);
  queue.proofs.askAgain(taskId, proof.id);
  return { ok: true, status: "verifying" };
}

/** Queues a failed task again, under its old id and with all its attempts. */
export function retryTask(taskId: string, queue: TaskQueue, store: TaskStore, nowMs: number): TaskActionAnswer {
  if (queue.find(taskId) !== undefined) return { conflict: "unfinished" };
  const finished = store.done.find(taskId);
  if (finished === undefined) return { conflict: "unknown" };
  const { record, payload } = finished;
  if (record.outcome === "complete") return { conflict: "finished" };
  const task: NewTask = {
    taskId,
    recipient: record.recipient,
    type: record.type,
    payloadJson: payload,
    sender: record.sender,
    priority: record.priority,
    delayMs: 0,
    maxAttempts: record.maxAttempts,
    timeoutMs: record.timeoutMs,
    deadlineMs: record.deadlineAtMs === null ? null : record.deadlineAtMs - record.createdMs,
    caller: null,
    cause: record.cause,
    ...(record.needs === undefined ? {} : { needs: record.needs }),
    ...(record.trace === undefined ? {} : { trace: record.trace }),
    ...(record.limits === undefined ? {} : { limits: record.limits }),
    ...(record.accept === undefined ? {} : { accept: record.accept }),
  };
  store.done.delete(taskId);
  if (!("full" in queue.enqueue([task], nowMs))) return { task_id: taskId, status: "queued", was: record.outcome };
  store.done.restore(record, payload, nowMs);
  return { conflict: "full" };
}
