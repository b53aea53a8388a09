import { faultsByItem, type ItemFaults } from "../../core/json/item-faults.ts";
import { limitsAround } from "../../core/json/limits.ts";
import { readFaultyJson } from "../../core/json/read-json.ts";
import { fieldErrors } from "../../core/problem/field-errors.ts";
import { type Problem, problem } from "../../core/problem/problem.ts";
import { exceedsBytes, LIMITS } from "../../core/signals/limits.ts";
import { readPlainAppend } from "../../core/signals/plain-signals.ts";
import { IDENTIFIER } from "../../core/signals/signal.ts";
import { AGENT_FRAME_TYPES, AgentFrame } from "../../core/wire/link-frames.ts";
import { unknownType } from "../../core/wire/unknown-types.ts";

const MAX_ERRORS = 20;

interface Unknown {
  readonly unknown: string;
}

/** What of a refused frame its sender recognises it by. */
export interface FrameName {
  /** Of an `append` alone: batches of dead letters have numbers of their own. */
  readonly batch: number | null;
  readonly frame?: string;
  /** Batch of dead letters. */
  readonly letters?: number;
}

interface Refused extends FrameName {
  readonly problem: Problem;
}

/** What reading an append has found beside its document. */
export interface AppendFindings {
  /** Signals of an append that cannot be kept as they were sent, by `/signals/<place>`. */
  readonly faults?: ItemFaults;
  /** JSON of the signals' facts as it was sent, by place; the signals of the frame have no facts then. */
  readonly facts?: readonly string[];
}

interface Received extends AppendFindings {
  readonly frame: AgentFrame;
}

/** A frame holds a list of signals: its own object, the list, the signal. */
const LIMITS_OF_FRAME = limitsAround(3);

/**
 * Reads a frame of an agent. `unknown`: the type of a frame that a newer agent sent. Such a frame is ignored, not refused:
 * after a refusal without a batch the agent reconnects, and a refusal with a batch could name an append that has the same
 * number by chance. For the same reason a fault in a frame refuses no more than the signal that has the fault: in what a
 * host reports about itself, a number that a double cannot hold becomes a text.
 */
export function readFrame(message: string): Received | Refused | Unknown {
  if (exceedsBytes(message, LIMITS.batchBytes)) {
    return { ...nameIn(message), problem: problem("too-large", 413, "A frame may take 1 MiB", "send smaller batches") };
  }
  const plain = readPlainAppend(message);
  if (plain !== undefined && isPlainAppend(plain)) return { frame: plain, facts: plain.facts };
  const reading = readFaultyJson(message, LIMITS_OF_FRAME);
  if (!reading.ok) {
    return { ...nameIn(message), problem: problem("malformed-json", 400, "The frame is not JSON", reading.malformed) };
  }
  const { value: document, faults } = reading;
  if (isPlainAppend(document))
    return { frame: document, ...(faults && { faults: faultsByItem(faults(), /^\/signals\/\d+/) }) };
  const parsed = AgentFrame.safeParse(document);
  if (parsed.success) return { frame: parsed.data };
  const unknown = unknownType(document, AGENT_FRAME_TYPES);
  if (unknown !== undefined) return { unknown };
  // A list of a thousand wrong items is understood by the first of them.
  const errors = fieldErrors(parsed.error.issues).slice(0, MAX_ERRORS);
  return {
    ...nameOf(document),
    problem: problem("invalid-frame", 422, "The frame is not one of ganglion.link.v1", undefined, { errors }),
  };
}

/** The name of a frame that is not parsed: agents write `type` and `batch` first. */
function nameIn(message: string): FrameName {
  const [, type, batch] =
    /^\s*\{\s*"type"\s*:\s*"([a-z_]{1,64})"(?:\s*,\s*"batch"\s*:\s*(\d{1,15})\b)?/.exec(message) ?? [];
  return nameOf({ type, batch: batch === undefined ? undefined : Number(batch) });
}

function nameOf(document: unknown): FrameName {
  if (typeof document !== "object" || document === null) return { batch: null };
  const { type, batch } = document as Record<string, unknown>;
  const number = typeof batch === "number" && Number.isInteger(batch) ? batch : null;
  const frame = typeof type === "string" ? type.slice(0, 64) : undefined;
  if (frame === "letters") return { batch: null, frame, ...(number === null ? {} : { letters: number }) };
  return { batch: number, ...(frame === undefined ? {} : { frame }) };
}

/** Whether the frame is certainly a valid append. The schema costs more and is only used where this check fails. */
function isPlainAppend(document: unknown): document is Extract<AgentFrame, { type: "append" }> {
  if (typeof document !== "object" || document === null) return false;
  const { type, batch, producer, first, signals } = document as Record<string, unknown>;
  return (
    type === "append" &&
    isCount(batch) &&
    isCount(first) &&
    first > 0 &&
    typeof producer === "string" &&
    IDENTIFIER.test(producer) &&
    Array.isArray(signals) &&
    signals.length > 0 &&
    signals.length <= LIMITS.batchSignals
  );
}

function isCount(value: unknown): value is number {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0;
}
