import { type Problem, problem } from "../../core/problem/problem.ts";
import { MAX_TASKS, taskErrors } from "../../core/queue/task-input.ts";
import { MAX_FRAME_BYTES, WorkerFrame } from "../../core/queue/work-frames.ts";
import { exceedsBytes } from "../../core/signals/limits.ts";

/** A frame, or a whole message, that the queue refuses. */
export interface RefusedFrame {
  readonly batch: number | null;
  /** Only of a call: its caller waits for a reply. */
  readonly correlationId?: string;
  readonly problem: Problem;
}

export interface ReceivedFrames {
  readonly frames: readonly (WorkerFrame | RefusedFrame)[];
  /** Whether the message was an array of frames. */
  readonly isArray: boolean;
}

/** Reads a message of a worker: one frame, or an array of frames. */
export function readMessage(message: string | ArrayBuffer): ReceivedFrames {
  if (typeof message !== "string") return refusal(problem("binary-frame", 415, "Frames are JSON text"));
  if (exceedsBytes(message, MAX_FRAME_BYTES))
    return refusal(problem("too-large", 413, "The message is larger than 1 MiB", "Send smaller batches."));
  let document: unknown;
  try {
    document = JSON.parse(message);
  } catch (error) {
    return refusal(problem("malformed-json", 400, "The message is not JSON", String(error)));
  }
  if (!Array.isArray(document)) return { frames: [readFrame(document)], isArray: false };
  if (document.length > MAX_TASKS)
    return refusal(problem("too-large", 413, `A message may hold ${MAX_TASKS} frames`, "Send several messages."));
  return { frames: document.map(readFrame), isArray: true };
}

function readFrame(document: unknown): WorkerFrame | RefusedFrame {
  const parsed = WorkerFrame.safeParse(document);
  if (parsed.success) return parsed.data;
  const fields: { type?: unknown; batch?: unknown; correlation_id?: unknown } =
    typeof document === "object" && document !== null ? document : {};
  const errors = taskErrors(parsed.error.issues, "").slice(0, 100);
  return {
    batch: typeof fields.batch === "number" && Number.isInteger(fields.batch) ? fields.batch : null,
    problem: problem("invalid-frame", 422, "The frame is not a valid frame of ganglion.work.v1", undefined, { errors }),
    ...(fields.type === "call" && typeof fields.correlation_id === "string"
      ? { correlationId: fields.correlation_id }
      : {}),
  };
}

const refusal = (wrong: Problem): ReceivedFrames => ({ frames: [{ batch: null, problem: wrong }], isArray: false });
