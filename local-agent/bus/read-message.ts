import { isUtf8 } from "node:buffer";
import { LIMITS } from "../../src/core/signals/limits.ts";
import { IDENTIFIER, TRACEPARENT } from "../../src/core/signals/signal.ts";

/** What a message says, in the form that the border of the core reads, or why it says nothing. */
export type BusMessage =
  | { readonly ok: true; readonly input: Record<string, unknown> }
  | { readonly ok: false; readonly reason: string };

/**
 * Reads one message of a host's bus: a frame of JSON, or a topic and a frame of JSON (R6). The programs that publish
 * there are older than Ganglion and each writes what it likes around the five fields of a signal, so that more is let
 * pass here than over HTTP: fields that Ganglion does not know are dropped, and so are ids that it could not keep.
 * What the signal says, name and facts, is never guessed.
 */
export function readBusMessage(frames: readonly Buffer[]): BusMessage {
  const body = frames.at(-1);
  if (body === undefined || frames.length > 2) {
    return { ok: false, reason: `the message has ${frames.length} frames; give [JSON] or [topic, JSON]` };
  }
  if (body.length > LIMITS.batchBytes)
    return { ok: false, reason: `the message has ${body.length} bytes; a signal may take ${LIMITS.signalBytes}` };
  if (!isUtf8(body)) return { ok: false, reason: "the message is not UTF-8" };
  let value: unknown;
  try {
    value = JSON.parse(body.toString("utf8"));
  } catch (error) {
    return { ok: false, reason: `the message is not JSON: ${(error as Error).message.slice(0, 100)}` };
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    return { ok: false, reason: "the message is not a JSON object" };
  }
  const topic = frames.length === 2 ? frames[0]?.toString("utf8") : undefined;
  return { ok: true, input: signalFields(value as Record<string, unknown>, topic) };
}

function signalFields(message: Record<string, unknown>, topic: string | undefined): Record<string, unknown> {
  const { signal = topic, source, facts, timestamp, id, cause, trace } = message;
  const input: Record<string, unknown> = { signal: signal ?? topic, source: sourceOf(source), facts };
  if (timestamp !== undefined && timestamp !== null && timestamp !== "") input.timestamp = timestamp;
  if (typeof id === "string" && IDENTIFIER.test(id)) input.id = id;
  if (typeof cause === "string" && IDENTIFIER.test(cause)) input.cause = cause;
  if (typeof trace === "string" && TRACEPARENT.test(trace)) input.trace = trace;
  return input;
}

function sourceOf(source: unknown): unknown {
  if (source === undefined || source === null || source === "") return "bus";
  return typeof source === "number" ? String(source) : source;
}
