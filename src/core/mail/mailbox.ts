import type { Entry } from "../queue/entry.ts";
import type { TransitionResult } from "../queue/task-answers.ts";
import type { TaskQueue } from "../queue/task-queue.ts";

/** Longer than any message lives: its own time limit ends the lease. */
export const MAIL_LEASE_MS = 30 * 86_400_000;
const HOLDER = "mail";

/** Who reads or acts, for the history of the message. */
interface Reading {
  readonly taskId: string;
  readonly worker: string;
}

/** The recipient has read a message. Said again it changes nothing. */
export function readMail(queue: TaskQueue, { taskId, worker }: Reading, nowMs: number): TransitionResult {
  const entry = delivered(queue, { taskId, worker }, nowMs);
  if ("reason" in entry) return entry;
  if (!entry.history.some(({ event }) => event === "read")) queue.note(taskId, { atMs: nowMs, event: "read", worker });
  return { ok: true, status: "running" };
}

/** The recipient has done what a message asked for. */
export function actOnMail(
  queue: TaskQueue,
  { resultJson, ...reading }: Reading & { readonly resultJson: string | null },
  nowMs: number,
): TransitionResult {
  const entry = delivered(queue, reading, nowMs);
  if ("reason" in entry) return entry;
  return queue.complete(entry.taskId, entry.lease?.id ?? "", resultJson, nowMs);
}

type Refused = Extract<TransitionResult, { ok: false }>;

/**
 * A message that its recipient has. One that was not delivered is delivered now, and those before it with it: a recipient has
 * its messages in their order, and saw them in its inbox.
 */
function delivered(queue: TaskQueue, { taskId, worker }: Reading, nowMs: number): Entry | Refused {
  const entry = queue.find(taskId);
  if (entry === undefined) return ended(queue, taskId, nowMs);
  if (entry.lease !== null) return entry;
  if (entry.state !== "ready") return { ok: false, reason: "lost" };
  const wish = { recipient: entry.recipient, holder: HOLDER, worker, leaseMs: MAIL_LEASE_MS };
  for (;;) {
    const next = queue.lease(wish, nowMs);
    // The queue is paused, or has no room.
    if (next === undefined) return { ok: false, reason: "lost" };
    if (next.taskId === taskId) return next;
  }
}

function ended(queue: TaskQueue, taskId: string, nowMs: number): Refused {
  const answer = queue.release(taskId, "", nowMs);
  return answer.ok ? { ok: false, reason: "unknown" } : answer;
}
