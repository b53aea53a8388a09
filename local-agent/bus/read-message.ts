import { isUtf8 } from "node:buffer";
import { limitsAround } from "../../src/core/json/limits.ts";
import { readJsonKeeping, refusalText } from "../../src/core/json/read-json.ts";
import type { FieldError } from "../../src/core/problem/field-error.ts";
import { LIMITS } from "../../src/core/signals/limits.ts";
import { IDENTIFIER, TRACEPARENT } from "../../src/core/signals/signal.ts";
import { parseTimestamp } from "../../src/core/signals/timestamp.ts";

/** Fields of older programs by which a message that was sent twice is recognised. */
export interface MessageMarks {
  readonly incidentId: string | undefined;
  /** Whether the message carries `ts`, the time of older programs. */
  readonly hasTs: boolean;
}

/** The content of a message as input for admission, or the reason why it is not a signal. */
export type BusMessage =
  | {
      readonly ok: true;
      readonly input: Record<string, unknown>;
      /** Numbers that JSON readers would change, and that became texts. */
      readonly keptAsText: number;
      readonly marks: MessageMarks;
    }
  | { readonly ok: false; readonly reason: string; readonly errors?: readonly FieldError[] };

/** A message is an object around its facts. */
const LIMITS_OF_MESSAGE = limitsAround(1);

/**
 * Reads one message of a host's bus: a frame of JSON, or a topic and a frame of JSON. The programs of a bus may be
 * older than Ganglion and add fields of their own, so this is more lenient than HTTP: unknown fields and invalid ids are
 * dropped. Name and facts are never guessed.
 */
export function readBusMessage(frames: readonly Buffer[]): BusMessage {
  const body = frames.at(-1);
  if (body === undefined || frames.length > 2) {
    return { ok: false, reason: `the message has ${frames.length} frames; give [JSON] or [topic, JSON]` };
  }
  if (body.length > LIMITS.batchBytes)
    return { ok: false, reason: `the message has ${body.length} bytes; a signal may take ${LIMITS.signalBytes}` };
  if (!isUtf8(body)) return { ok: false, reason: "the message is not UTF-8" };
  const reading = readJsonKeeping(body.toString("utf8"), LIMITS_OF_MESSAGE);
  if (!reading.ok) {
    const reason = `the message is refused: ${refusalText(reading)}`;
    return reading.malformed === undefined ? { ok: false, reason, errors: reading.errors } : { ok: false, reason };
  }
  const { value, keptAsText } = reading;
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    return { ok: false, reason: "the message is not a JSON object" };
  }
  const topic = frames.length === 2 ? frames[0]?.toString("utf8") : undefined;
  const message = value as Record<string, unknown>;
  const marks = { incidentId: incidentOf(message), hasTs: isGiven(message.ts) };
  return { ok: true, input: signalFields(message, topic, marks), keptAsText, marks };
}

function signalFields(
  message: Record<string, unknown>,
  topic: string | undefined,
  { incidentId }: MessageMarks,
): Record<string, unknown> {
  const { signal = topic, source, facts, timestamp, ts, id, cause, trace } = message;
  const input: Record<string, unknown> = { signal: signal ?? topic, source: sourceOf(source), facts };
  if (isGiven(timestamp)) input.timestamp = timestamp;
  // A `ts` that is no time is one of the unknown fields.
  else if (isGiven(ts) && parseTimestamp(ts) !== undefined) input.timestamp = ts;
  if (incidentId !== undefined) input.facts = withIncident(facts, incidentId);
  if (typeof id === "string" && IDENTIFIER.test(id)) input.id = id;
  if (typeof cause === "string" && IDENTIFIER.test(cause)) input.cause = cause;
  if (typeof trace === "string" && TRACEPARENT.test(trace)) input.trace = trace;
  return input;
}

const isGiven = (value: unknown) => value !== undefined && value !== null && value !== "";

/** Beside the facts, or a number in the place of a text. */
function incidentOf({ incident_id }: Record<string, unknown>): string | undefined {
  const text = typeof incident_id === "number" ? String(incident_id) : incident_id;
  return typeof text === "string" && text !== "" && text.length <= LIMITS.identifierLength ? text : undefined;
}

/** The log has no field for the incident beside the facts. Facts that name one keep theirs. */
function withIncident(facts: unknown, incident_id: string): unknown {
  const isObject = typeof facts === "object" && facts !== null && !Array.isArray(facts);
  if (!isObject || isGiven((facts as Record<string, unknown>).incident_id)) return facts;
  return { ...facts, incident_id };
}

function sourceOf(source: unknown): unknown {
  if (source === undefined || source === null || source === "") return "bus";
  return typeof source === "number" ? String(source) : source;
}
