import { readJson } from "../../core/json/read-json.ts";
import { LockFrame, MAX_LOCK_MESSAGE } from "../../core/locks/lock-frames.ts";
import { fieldErrors } from "../../core/problem/field-errors.ts";
import { type Problem, problem } from "../../core/problem/problem.ts";

/** A message that is no frame. `id` is that of the frame, where it can be read. */
interface NoFrame {
  readonly id: string | null;
  readonly problem: Problem;
}

/** Reads a message of a channel for locks: one frame. */
export function readLockFrame(message: string | ArrayBuffer): LockFrame | NoFrame {
  if (typeof message !== "string") return { id: null, problem: problem("binary-frame", 415, "Frames are JSON text") };
  if (message.length > MAX_LOCK_MESSAGE) {
    const title = `The message is longer than ${MAX_LOCK_MESSAGE} characters`;
    return { id: null, problem: problem("too-large", 413, title, "Send one frame a message.") };
  }
  const reading = readJson(message);
  if (!reading.ok && reading.malformed !== undefined)
    return { id: null, problem: problem("malformed-json", 400, "The message is not JSON", reading.malformed) };
  if (!reading.ok) return { id: null, problem: invalid(reading.errors) };
  const frame = LockFrame.safeParse(reading.value);
  if (frame.success) return frame.data;
  return { id: idOf(reading.value), problem: invalid(fieldErrors(frame.error.issues, "", LockFrame)) };
}

const invalid = (errors: readonly object[]) =>
  problem("invalid-frame", 422, "The frame is not a valid frame of ganglion.locks.v1", undefined, {
    errors: errors.slice(0, 100),
  });

function idOf(value: unknown): string | null {
  const id = typeof value === "object" && value !== null && "id" in value ? value.id : undefined;
  return typeof id === "string" ? id.slice(0, 64) : null;
}
