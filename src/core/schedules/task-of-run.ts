import * as z from "zod";
import { type FinishedTask, type NewTask, Outcome } from "../queue/task.ts";
import { jsonOf, needsOf } from "../queue/task-input.ts";
import type { TaskLook } from "./machine.ts";
import { msOf, type ScheduleSettings } from "./settings.ts";

const SENDER = "ganglion/schedules/";
const senderOf = (schedule: string) => `${SENDER}${schedule}`;

/** The schedule that sent a task; `undefined`: none did. */
export const scheduleOf = ({ sender }: Pick<FinishedTask, "sender">): string | undefined =>
  sender?.startsWith(SENDER) === true ? sender.slice(SENDER.length) : undefined;

/** The task of a run. */
export function taskOfRun(schedule: string, task: NonNullable<ScheduleSettings["task"]>, id: string): NewTask {
  const payloadJson = jsonOf(task.payload);
  if (typeof payloadJson !== "string") throw new TypeError(`the payload of ${schedule} ${payloadJson.message}`);
  return {
    taskId: id,
    recipient: task.recipient,
    type: task.type,
    payloadJson,
    sender: senderOf(schedule),
    priority: task.priority,
    delayMs: 0,
    maxAttempts: task.max_attempts,
    timeoutMs: task.timeout === undefined ? null : msOf(task.timeout),
    deadlineMs: task.deadline === undefined ? null : msOf(task.deadline),
    caller: null,
    cause: null,
    ...needsOf(task),
    ...(task.accept === undefined ? {} : { accept: task.accept }),
    ...(task.limits === undefined || task.limits.length === 0 ? {} : { limits: task.limits }),
  };
}

const Seen = z.object({
  task_id: z.string(),
  lease_expires_at: z.string().optional(),
  outcome: Outcome.optional(),
  error: z.string().optional(),
  finished_at: z.string().optional(),
  ran_ms: z.number(),
  history: z.array(z.object({ at: z.string(), event: z.string() })),
});

/** What a queue says of a task. @param text - the task as JSON */
export function lookOf(text: string): TaskLook {
  const { task_id: id, lease_expires_at, outcome, error, finished_at, ran_ms, history } = Seen.parse(JSON.parse(text));
  const taken = history.find(({ event }) => event === "leased");
  return {
    id,
    takenMs: taken === undefined ? null : Date.parse(taken.at),
    leasedUntilMs: lease_expires_at === undefined ? null : Date.parse(lease_expires_at),
    end:
      outcome === undefined || finished_at === undefined
        ? null
        : { endedMs: Date.parse(finished_at), outcome, ranMs: ran_ms, why: error },
  };
}

/** What a queue says of a task that has just ended. */
export function lookOfFinished({ taskId, history, finishedMs, outcome, ranMs, error }: FinishedTask): TaskLook {
  const taken = history.find(({ event }) => event === "leased");
  return {
    id: taskId,
    takenMs: taken?.atMs ?? null,
    leasedUntilMs: null,
    end: { endedMs: finishedMs, outcome, ranMs, why: error ?? undefined },
  };
}
