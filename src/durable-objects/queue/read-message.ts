import { type Problem, problem } from "../../core/problem/problem.ts";
import { MAX_TASKS, taskErrors } from "../../core/queue/task-input.ts";
import { MAX_FRAME_BYTES, WorkerFrame } from "../../core/queue/work-frames.ts";
import { exceedsBytes } from "../../core/signals/limits.ts";

/** What cannot be taken, and of which frame that is said. */
export interface RefusedFrame {
  readonly batch: number | null;
  /** Of a call: its caller waits for a reply. */
  readonly correlationId?: string;
  readonly problem: Problem;
}

export interface ReceivedFrames {
  readonly frames: readonly (WorkerFrame | RefusedFrame)[];
  /** The other end sends several frames in a message. */
  readonly several: boolean;
}

/** Reads a message of a worker: one frame, or an array of them. */
export function readMessage(message: string | ArrayBuffer): ReceivedFrames {
  if (typeof message !== "string") return refusal(problem("binary-frame", 415, "Frames are JSON text"));
  if (exceedsBytes(message, MAX_FRAME_BYTES))
    return refusal(problem("too-large", 413, "A message may take 1 MiB", "send smaller batches"));
  let document: unknown;
  try {
    document = JSON.parse(message);
  } catch (error) {
    return refusal(problem("malformed-json", 400, "The frame is not JSON", String(error)));
  }
  if (!Array.isArray(document)) return { frames: [readFrame(document)], several: false };
  if (document.length > MAX_TASKS)
    return refusal(problem("too-large", 413, `A message may hold ${MAX_TASKS} frames`, "send several messages"));
  return { frames: document.map(readFrame), several: true };
}

function readFrame(document: unknown): WorkerFrame | RefusedFrame {
  const parsed = WorkerFrame.safeParse(document);
  if (parsed.success) return parsed.data;
  const { type, batch, correlation_id } = (document ?? {}) as Record<string, unknown>;
  const errors = taskErrors(parsed.error.issues, "").slice(0, 100);
  return {
    batch: Number.isInteger(batch) ? (batch as number) : null,
    problem: problem("invalid-frame", 422, "The frame is not one of ganglion.work.v1", undefined, { errors }),
    ...(type === "call" && typeof correlation_id === "string" ? { correlationId: correlation_id } : {}),
  };
}

const refusal = (wrong: Problem): ReceivedFrames => ({ frames: [{ batch: null, problem: wrong }], several: false });
