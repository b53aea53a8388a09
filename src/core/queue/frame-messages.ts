import { utf8Bytes } from "../signals/limits.ts";
import { MAX_TASKS } from "./task-input.ts";
import { MAX_FRAME_BYTES, type OutgoingWorkerFrame } from "./work-frames.ts";

/** Largest message that a worker or caller sends. The margin keeps the limit of the queue out of reach. */
export const MAX_MESSAGE_BYTES = MAX_FRAME_BYTES - 16 * 1024;

/** A frame that no message can hold. */
export interface Unsendable {
  readonly frame: OutgoingWorkerFrame;
  /** Completes "the frame …". */
  readonly reason: string;
}

export interface Messages {
  readonly messages: readonly string[];
  readonly unsendable: readonly Unsendable[];
}

/**
 * Frames as the fewest messages, in order, that the queue takes. Each message is an array, even of one frame: that tells
 * the queue that this end reads arrays.
 */
export function messagesOf(frames: readonly OutgoingWorkerFrame[]): Messages {
  const messages: string[] = [];
  const unsendable: Unsendable[] = [];
  let texts: string[] = [];
  let bytes = 2;
  const finish = () => {
    if (texts.length > 0) messages.push(`[${texts.join(",")}]`);
    texts = [];
    bytes = 2;
  };
  for (const frame of frames) {
    const text = textOf(frame);
    if (typeof text !== "string") {
      unsendable.push({ frame, reason: text.reason });
      continue;
    }
    const size = utf8Bytes(text) + 1;
    if (size + 2 > MAX_MESSAGE_BYTES) {
      unsendable.push({ frame, reason: `is too large: ${size - 1} bytes of ${MAX_MESSAGE_BYTES}` });
      continue;
    }
    if (bytes + size > MAX_MESSAGE_BYTES || texts.length >= MAX_TASKS) finish();
    texts.push(text);
    bytes += size;
  }
  finish();
  return { messages, unsendable };
}

function textOf(frame: OutgoingWorkerFrame): string | { reason: string } {
  try {
    return JSON.stringify(frame);
  } catch (error) {
    return { reason: `is not JSON: ${error instanceof Error ? error.message : String(error)}` };
  }
}
