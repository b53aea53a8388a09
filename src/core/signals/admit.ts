import { isJsonObject } from "../json/is-json-object.ts";
import type { FieldError } from "../problem/field-error.ts";
import { fieldErrors } from "../problem/field-errors.ts";
import { knownSignal } from "./known-signals.ts";
import { exceedsBytes, LIMITS } from "./limits.ts";
import { IDENTIFIER, type NewSignal, SIGNAL_NAME, SignalInput, TRACEPARENT } from "./signal.ts";
import { parseTimestamp } from "./timestamp.ts";

export type Admission =
  | { readonly ok: true; readonly signal: NewSignal }
  | { readonly ok: false; readonly errors: FieldError[] };

/**
 * Admits one signal, or returns the errors of its fields.
 *
 * The schema ({@link SignalInput} and the facts of known-signals.ts) decides. A hand-written path in front of it admits
 * well-formed signals eight times as fast. That path never refuses: it leaves every doubtful signal to the schema. A
 * property test proves that the two agree.
 *
 * @param at - JSON pointer of `input` in the document that carried it
 */
export function admitSignal(input: unknown, at = ""): Admission {
  const quick = admitWellFormed(input);
  if (quick !== undefined) return { ok: true, signal: quick };
  return admitBySchema(input, at);
}

/** Exported for the property test only. */
export function admitBySchema(input: unknown, at = ""): Admission {
  const envelope = SignalInput.safeParse(input);
  if (!envelope.success)
    return { ok: false, errors: fieldErrors(envelope.error.issues, at, undefined, { extrasGoInto: "facts" }) };
  const { signal, source, facts, timestamp, id, cause, trace, depth } = envelope.data;
  const checked = knownSignal(signal)?.facts.safeParse(facts);
  if (checked !== undefined && !checked.success) {
    return { ok: false, errors: fieldErrors(checked.error.issues, `${at}/facts`) };
  }
  const factsJson = stringify(facts);
  if (factsJson === undefined) {
    return {
      ok: false,
      errors: [{ pointer: `${at}/facts`, message: "facts are nested too deeply to be stored: flatten them" }],
    };
  }
  if (exceedsBytes(factsJson, LIMITS.signalBytes)) {
    return {
      ok: false,
      errors: [
        { pointer: `${at}/facts`, message: `the facts are too large: a signal may take ${LIMITS.signalBytes} bytes` },
      ],
    };
  }
  return {
    ok: true,
    signal: {
      id,
      signal,
      source,
      timestampMs: timestamp === undefined ? undefined : parseTimestamp(timestamp),
      factsJson,
      cause: cause ?? undefined,
      trace: trace ?? undefined,
      depth: depthOf(depth, cause),
    },
  };
}

/**
 * The quick path of {@link admitSignal}. `undefined` means "let the schema decide", not "refused".
 *
 * @param factsText - JSON of the signal's facts, an object, as it was sent, in the place of the facts
 */
export function admitWellFormed(input: unknown, factsText?: string): NewSignal | undefined {
  if (typeof input !== "object" || input === null || Array.isArray(input)) return undefined;
  const fields = input as Record<string, unknown>;
  for (const key in fields) {
    switch (key) {
      case "signal":
      case "source":
      case "facts":
      case "timestamp":
      case "id":
      case "cause":
      case "trace":
      case "seq":
      case "received_at":
      case "ecosystem":
      case "depth":
      case "via":
      case "hops":
        continue;
      default:
        return undefined;
    }
  }
  const { signal, source, facts, timestamp, id, cause, trace, depth } = fields;
  if (typeof signal !== "string" || !knownName(signal)) return undefined;
  if (typeof source !== "string" || source.length === 0 || source.length > LIMITS.identifierLength) return undefined;
  if (factsText === undefined && !isJsonObject(facts)) return undefined;
  if (id !== undefined && (typeof id !== "string" || !IDENTIFIER.test(id))) return undefined;
  if (cause !== undefined && (typeof cause !== "string" || !IDENTIFIER.test(cause))) return undefined;
  if (trace !== undefined && (typeof trace !== "string" || !TRACEPARENT.test(trace))) return undefined;
  const timestampMs = timestamp === undefined ? undefined : parseTimestamp(timestamp);
  if (timestamp !== undefined && timestampMs === undefined) return undefined;
  if (!plainFacts(signal, facts, factsText)) return undefined;
  const factsJson = factsText ?? stringify(facts);
  if (factsJson === undefined || exceedsBytes(factsJson, LIMITS.signalBytes)) return undefined;
  return {
    id: id as string | undefined,
    signal,
    source,
    timestampMs,
    factsJson,
    cause: cause as string | undefined,
    trace: trace as string | undefined,
    depth: depthOf(depth, cause),
  };
}

const MAX_DEPTH = 1_000;

/**
 * The length of the chain of causes above a signal, as its sender gives it beside a cause. A host that reacts to signals
 * knows the length; without it, nothing would end a circle of signals that runs through a host. Any other value is ignored,
 * so that a signal read from the log can be sent again as it is.
 */
function depthOf(depth: unknown, cause: unknown): number | undefined {
  const known = typeof cause === "string" && typeof depth === "number" && Number.isInteger(depth);
  return known && depth > 0 ? Math.min(depth, MAX_DEPTH) : undefined;
}

const validNames = new Set<string>();

function knownName(name: string): boolean {
  if (validNames.has(name)) return true;
  if (!SIGNAL_NAME.test(name)) return false;
  if (validNames.size >= 4096) validNames.clear();
  validNames.add(name);
  return true;
}

/** Whether the facts are certainly valid. @param text - JSON of the facts, in their place */
function plainFacts(name: string, facts: unknown, text: string | undefined): boolean {
  const known = knownSignal(name);
  if (known === undefined) return true;
  const values = (text === undefined ? facts : JSON.parse(text)) as Record<string, unknown>;
  return name === "OBSERVATION" ? plainObservation(values) : known.facts.safeParse(values).success;
}

/** Only observations come in such numbers that they need a fast path of their own. */
function plainObservation({ zooid, zooid_name, ok, ttr_ms, incident_id, niche }: Record<string, unknown>): boolean {
  if (zooid === undefined && zooid_name === undefined) return false;
  return (
    (zooid === undefined || (typeof zooid === "string" && zooid !== "")) &&
    (zooid_name === undefined || (typeof zooid_name === "string" && zooid_name !== "")) &&
    (ok === undefined || typeof ok === "boolean") &&
    (ttr_ms === undefined || ttr_ms === null || (typeof ttr_ms === "number" && ttr_ms >= 0 && ttr_ms < Infinity)) &&
    (incident_id === undefined || incident_id === null || typeof incident_id === "string") &&
    (niche === undefined || niche === null || typeof niche === "string")
  );
}

/** JSON of `facts`; `undefined` where their nesting exhausts the stack, since a caller can send 30,000 opening brackets. */
function stringify(facts: unknown): string | undefined {
  try {
    return JSON.stringify(facts);
  } catch (error) {
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}
