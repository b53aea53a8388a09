import type { FieldError } from "../problem/field-error.ts";
import { describeMalformedJson } from "../problem/malformed-json.ts";
import { findFaults, type JsonFault } from "./find-faults.ts";
import { JSON_LIMITS, type JsonLimits } from "./limits.ts";
import { isPlainJson } from "./plain-json.ts";
import { TOO_DEEP } from "./prune-deep.ts";

export type JsonReading =
  | { readonly ok: true; readonly value: unknown }
  | MalformedJson
  /** The text is JSON that would not be kept as it is. */
  | { readonly ok: false; readonly malformed?: undefined; readonly errors: readonly FieldError[] };

/** The text is not JSON. `malformed` says where, and never quotes the text, which may hold secrets. */
interface MalformedJson {
  readonly ok: false;
  readonly malformed: string;
}

/** Most errors that a refusal lists: enough to repair a document. */
const MAX_ERRORS = 100;

/**
 * Reads JSON whose sender can be asked: what breaks a limit, and what JSON.parse would change without a word, is refused
 * with a pointer.
 */
export function readJson(text: string, limits: JsonLimits = JSON_LIMITS): JsonReading {
  const source = withoutMark(text);
  const parsed = parse(source);
  if (!parsed.ok || isPlainJson(source, limits)) return parsed;
  const errors = errorsOf(findFaults(source, limits));
  return errors.length === 0 ? parsed : { ok: false, errors };
}

/** These faults are repaired where the writer cannot be asked; the others are refused. */
const REPAIRED: ReadonlySet<JsonFault["kind"]> = new Set(["number", "surrogate", "repeated_key"]);

export type KeptReading =
  | {
      readonly ok: true;
      readonly value: unknown;
      /** How many numbers and texts are kept as the text that the writer wrote. */
      readonly keptAsText: number;
    }
  | Extract<JsonReading, { ok: false }>;

/**
 * Reads JSON whose writer cannot be asked, such as a file or a message of the host's bus. Numbers that a double does not
 * hold become strings with the same digits, and half a surrogate pair becomes its escape; of a repeated key the last one
 * counts, as for every JSON reader. What breaks a limit is refused.
 */
export function readJsonKeeping(text: string, limits: JsonLimits = JSON_LIMITS): KeptReading {
  const reading = readJson(text, limits);
  if (reading.ok) return { ...reading, keptAsText: 0 };
  if (reading.malformed !== undefined) return reading;
  const source = withoutMark(text);
  const refused = errorsOf(findFaults(source, limits), (kind) => !REPAIRED.has(kind));
  return refused.length > 0 ? { ok: false, errors: refused } : { ok: true, ...repaired(source, limits) };
}

export type FaultyReading =
  | {
      readonly ok: true;
      /** What a double does not hold as text, and a short text in the place of what is nested too deeply. */
      readonly value: unknown;
      /** The faults of the text that was sent, one by one; `undefined`: none. */
      readonly faults: (() => Iterable<JsonFault>) | undefined;
    }
  | MalformedJson;

/** Reads a frame that carries several items, so that a fault in one of them refuses that one alone. */
export function readFaultyJson(text: string, limits: JsonLimits): FaultyReading {
  const source = withoutMark(text);
  const parsed = parse(source);
  if (!parsed.ok) return parsed;
  if (isPlainJson(source, limits) || findFaults(source, limits).next().done === true)
    return { ...parsed, faults: undefined };
  return { ok: true, value: repaired(source, limits).value, faults: () => findFaults(source, limits) };
}

/** The reasons of a refusal in one line. */
export function refusalText(reading: Extract<JsonReading, { ok: false }>): string {
  if (reading.malformed !== undefined) return `not JSON: ${reading.malformed}`;
  const [first] = reading.errors;
  const more = reading.errors.length - 1;
  const place = first?.pointer === "" ? "the document" : first?.pointer;
  return `${place}: ${first?.message}${more > 0 ? ` (and ${more} more)` : ""}`;
}

function parse(source: string): { readonly ok: true; readonly value: unknown } | MalformedJson {
  try {
    return { ok: true, value: JSON.parse(source) };
  } catch {
    return { ok: false, malformed: describeMalformedJson(source) ?? "the text cannot be parsed" };
  }
}

function errorsOf(
  faults: Iterable<JsonFault>,
  counts: (kind: JsonFault["kind"]) => boolean = () => true,
): FieldError[] {
  const errors: FieldError[] = [];
  for (const { kind, pointer, message } of faults) {
    if (!counts(kind)) continue;
    errors.push({ pointer, message });
    if (errors.length === MAX_ERRORS) break;
  }
  return errors;
}

function repaired(source: string, limits: JsonLimits): { readonly value: unknown; readonly keptAsText: number } {
  const parts: string[] = [];
  let end = 0;
  let keptAsText = 0;
  for (const { kind, from, to } of findFaults(source, limits)) {
    if (from < end) continue;
    const instead = replacement(kind, source.slice(from, to));
    if (instead === undefined) continue;
    if (kind !== "depth") keptAsText++;
    parts.push(source.slice(end, from), instead);
    end = to;
  }
  parts.push(source.slice(end));
  return { value: JSON.parse(parts.join("")), keptAsText };
}

/** What stands in the repaired text in the place of a fault; `undefined`: the same text. */
function replacement(kind: JsonFault["kind"], token: string): string | undefined {
  switch (kind) {
    case "number":
      return `"${token}"`;
    case "surrogate":
      return token.replace(ESCAPE, (whole: string, pair?: string, half?: string) =>
        pair === undefined && half !== undefined ? `\\\\${half}` : whole,
      );
    case "depth":
      return JSON.stringify(TOO_DEEP);
    default:
      return undefined;
  }
}

/** An escape: a whole surrogate pair, half of one (without its backslash), or any other. */
const ESCAPE = /(\\u[dD][89abAB][\da-fA-F]{2}\\u[dD][c-fC-F][\da-fA-F]{2})|\\(u[dD][89a-fA-F][\da-fA-F]{2})|\\./g;

/** Editors of some systems begin a text with a byte-order mark. It is no part of the text. */
function withoutMark(text: string): string {
  return text.charCodeAt(0) === 0xfeff ? text.slice(1) : text;
}
