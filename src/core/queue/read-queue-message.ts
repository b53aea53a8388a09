import type { QueueFrame } from "./work-frames.ts";

/**
 * Reads a message of a queue to a worker or caller: a frame or an array of frames. Checks only the fields without which
 * a frame cannot be handled, because this runs for each task. Frames of unknown types are left out: a newer queue may
 * send some.
 *
 * @throws SyntaxError where the message is not JSON
 */
export function readQueueMessage(text: string): readonly QueueFrame[] {
  const message: unknown = JSON.parse(text);
  const frames: unknown[] = Array.isArray(message) ? message : [message];
  return frames.every(isQueueFrame) ? frames : frames.filter(isQueueFrame);
}

function isQueueFrame(frame: unknown): frame is QueueFrame {
  if (typeof frame !== "object" || frame === null || !("type" in frame)) return false;
  switch (frame.type) {
    case "tasks":
    case "done":
    case "conflict":
    case "cancel":
      return "tasks" in frame && Array.isArray(frame.tasks) && frame.tasks.every(namesLease);
    case "reply":
      return "correlation_id" in frame && typeof frame.correlation_id === "string";
    case "refused":
      return "problem" in frame && typeof frame.problem === "object" && frame.problem !== null;
    case "enqueued":
      return "batch" in frame && typeof frame.batch === "number";
    case "paused":
      return "since" in frame && typeof frame.since === "string";
    case "resumed":
      return true;
    default:
      return false;
  }
}

function namesLease(task: unknown): boolean {
  if (typeof task !== "object" || task === null || !("task_id" in task) || !("lease_id" in task)) return false;
  return typeof task.task_id === "string" && typeof task.lease_id === "string";
}
