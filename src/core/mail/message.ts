import type { TaskView } from "../queue/api.ts";
import type { NewTask } from "../queue/task.ts";
import { formatTimestamp } from "../signals/timestamp.ts";
import { MAIL_TYPE, type MailMessage, MailPayload, type MailState, type NewMail } from "./api.ts";

/** Who sends a message to whom, and in which thread. */
export interface MailTerms {
  readonly id: string;
  readonly from: string;
  readonly to: string;
  readonly thread: string;
}

/** The payload of a message's task. */
export function payloadOf({ subject, body, ...mail }: NewMail, thread: string, nowMs: number): MailPayload {
  return {
    subject: subject ?? null,
    body: body ?? null,
    thread,
    reply_to: mail.reply_to ?? null,
    deliver_by: formatTimestamp(nowMs + mail.deliver_within_ms),
    read_by: mail.read_within_ms === undefined ? null : formatTimestamp(nowMs + mail.read_within_ms),
  };
}

/**
 * A message as a task. All have one priority, so that those of a sender keep their order. Whoever is given the message holds
 * it for as long as it may take: the time limit of the task is that of the message.
 */
export function taskOfMail({ id, from, to }: MailTerms, { expires_ms }: NewMail, payloadJson: string): NewTask {
  return {
    taskId: id,
    recipient: to,
    type: MAIL_TYPE,
    payloadJson,
    sender: from,
    priority: 5,
    delayMs: 0,
    maxAttempts: undefined,
    timeoutMs: expires_ms,
    deadlineMs: expires_ms,
    caller: null,
    cause: null,
  };
}

/** A task of the queue `mail` as a message. One that was put there by another way has no subject, and its payload as body. */
export function mailOf(task: TaskView): MailMessage {
  const read = MailPayload.safeParse(task.payload);
  const { subject, body, thread, reply_to } = read.success
    ? read.data
    : { subject: null, body: task.payload, thread: task.task_id, reply_to: null };
  const first = (event: string) => task.history.find((one) => one.event === event)?.at ?? null;
  const [delivered, seen] = [first("leased"), first("read")];
  const state = stateOf(task, delivered !== null, seen !== null);
  const ended = task.finished_at ?? null;
  return {
    id: task.task_id,
    from: task.sender,
    to: task.recipient,
    subject,
    body,
    thread,
    reply_to,
    state,
    sent_at: task.created_at,
    delivered_at: delivered,
    // Who acts has read.
    read_at: seen ?? (state === "acted" ? ended : null),
    acted_at: state === "acted" ? ended : null,
    ended_at: ended,
    expires_at: ended === null ? (task.lease_expires_at ?? task.deadline_at) : null,
    ...(state === "acted" && task.result !== undefined && task.result !== null ? { result: task.result } : {}),
    ...(task.error === undefined || state === "expired" ? {} : { error: task.error }),
  };
}

function stateOf({ status, outcome }: TaskView, delivered: boolean, seen: boolean): MailState {
  if (status === "queued" || status === "running" || status === "verifying")
    return seen ? "read" : delivered ? "delivered" : "sent";
  if (outcome === "complete" || status === "complete") return "acted";
  if (outcome === "expired" || outcome === "dropped") return "expired";
  return outcome === "cancelled" ? "withdrawn" : "failed";
}
