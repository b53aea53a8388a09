import { fieldErrors } from "../../core/problem/field-errors.ts";
import { type Problem, problem } from "../../core/problem/problem.ts";
import { exceedsBytes, LIMITS } from "../../core/signals/limits.ts";
import { IDENTIFIER } from "../../core/signals/signal.ts";
import { AGENT_FRAME_TYPES, AgentFrame } from "../../core/wire/link-frames.ts";
import { unknownType } from "../../core/wire/unknown-types.ts";

interface Unknown {
  readonly unknown: string;
}

/**
 * Reads a frame of an agent. `batch` of a refused frame: the number that the agent gave, where it can be read. `unknown`:
 * the type of a frame that a newer agent sent. Such a frame is ignored, not refused: after a refusal without a batch the
 * agent reconnects, and a refusal with a batch could name an append that has the same number by chance.
 */
export function readFrame(message: string): AgentFrame | { batch: number | null; problem: Problem } | Unknown {
  if (exceedsBytes(message, LIMITS.batchBytes)) {
    return { batch: null, problem: problem("too-large", 413, "A frame may take 1 MiB", "send smaller batches") };
  }
  let document: unknown;
  try {
    document = JSON.parse(message);
  } catch (error) {
    return { batch: null, problem: problem("malformed-json", 400, "The frame is not JSON", String(error)) };
  }
  if (isPlainAppend(document)) return document;
  const parsed = AgentFrame.safeParse(document);
  if (parsed.success) return parsed.data;
  const unknown = unknownType(document, AGENT_FRAME_TYPES);
  if (unknown !== undefined) return { unknown };
  const batch =
    typeof document === "object" && document !== null && "batch" in document ? Number(document.batch) : Number.NaN;
  const errors = fieldErrors(parsed.error.issues);
  return {
    batch: Number.isInteger(batch) ? batch : null,
    problem: problem("invalid-frame", 422, "The frame is not one of ganglion.link.v1", undefined, { errors }),
  };
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
