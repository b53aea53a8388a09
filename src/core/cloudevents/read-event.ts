import { isJsonObject } from "../json/is-json-object.ts";
import { MAX_DEPTH } from "../json/limits.ts";
import { isDeeperThan } from "../json/prune-deep.ts";
import type { FieldError } from "../problem/field-error.ts";
import { type Admission, admitSignal } from "../signals/admit.ts";
import { LIMITS } from "../signals/limits.ts";
import { TRACEPARENT } from "../signals/signal.ts";
import { parseTimestamp } from "../signals/timestamp.ts";
import {
  ATTRIBUTE_NAME,
  isAttributeText,
  isAttributeValue,
  KEPT,
  type KeptAttributes,
  writeKept,
} from "./kept-attributes.ts";
import { identifierOf, nameOfType } from "./names.ts";

/** The data of an event. JSON holds texts, too; bytes are base64. */
export type EventData =
  | { readonly is: "absent" }
  | { readonly is: "json"; readonly value: unknown }
  | { readonly is: "base64"; readonly text: string };

/** Where an event stands in a request. */
export interface EventPlace {
  /** JSON pointer of an attribute. */
  readonly attribute: (name: string) => string;
  /** JSON pointer of the data. */
  readonly data: string;
}

const REQUIRED = ["specversion", "id", "source", "type"] as const;
/** Attributes of the specification that are texts. */
const TEXTS: ReadonlySet<string> = new Set([...REQUIRED, "subject", "time", "datacontenttype", "dataschema"]);
/** What the edge adds when it sends a signal as an event. Of these a sender's own say nothing, as in signals. */
const ASSIGNED: ReadonlySet<string> = new Set(["ganglionseq", "ganglionecosystem", "ganglionreceived"]);
/** Attributes that become fields of the signal. `correlationid` may be one, and is kept beside. */
const FIELDS: ReadonlySet<string> = new Set([...REQUIRED, "time", "traceparent", "causationid", "gangliondepth"]);

/** @param at - JSON pointer of an event in structured mode */
export const placeOf = (at: string): EventPlace => ({
  attribute: (name) => `${at}/${escaped(name)}`,
  data: `${at}/data`,
});

/** Reads an event in structured mode, as its JSON format writes it. @param at - JSON pointer of the event */
export function readStructuredEvent(event: unknown, at = ""): Admission {
  if (!isJsonObject(event)) return { ok: false, errors: [{ pointer: at, message: "a CloudEvent is a JSON object" }] };
  const { data, data_base64: bytes, ...attributes } = event;
  const place = placeOf(at);
  const isThere = "data" in event;
  if (bytes === undefined || bytes === null)
    return readEvent(attributes, isThere ? { is: "json", value: data } : { is: "absent" }, place);
  const pointer = `${at}/data_base64`;
  if (isThere) return { ok: false, errors: [{ pointer, message: "an event has data or data_base64, not both" }] };
  if (typeof bytes !== "string" || !BASE64.test(bytes))
    return { ok: false, errors: [{ pointer, message: "give the bytes of the data in base64, with its padding" }] };
  return readEvent(attributes, { is: "base64", text: bytes }, { ...place, data: pointer });
}

const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;
const escaped = (name: string) => name.replaceAll("~", "~0").replaceAll("/", "~1").slice(0, 128);

/**
 * Reads an event as the signal that it is, or names each attribute that is wrong. Nothing of the event is lost: what a
 * signal has no field for is kept in the fact `_ce`, from which `writeEvent` makes the same event again.
 *
 * @param given - attributes by name; null: the event does not have the attribute
 */
export function readEvent(given: Readonly<Record<string, unknown>>, data: EventData, place: EventPlace): Admission {
  const attributes = Object.fromEntries(
    Object.entries(given).filter(([, value]) => value !== null && value !== undefined),
  );
  const errors = attributeErrors(attributes, place);
  const { facts, kept } = factsOf(data, place, errors);
  const fields = fieldsOf(attributes, place, errors);
  if (errors.length > 0) return { ok: false, errors };
  const attributesKept = writeKept({ attributes: keptOf(attributes), data: kept });
  const admission = admitSignal({
    ...fields,
    facts: attributesKept === undefined ? facts : { ...facts, [KEPT]: attributesKept },
  });
  if (admission.ok) return admission;
  return { ok: false, errors: admission.errors.map((error) => asEventError(error, attributes, place)) };
}

function attributeErrors(attributes: Readonly<Record<string, unknown>>, place: EventPlace): FieldError[] {
  const errors: FieldError[] = [];
  const wrong = (name: string, message: string) => errors.push({ pointer: place.attribute(name), message });
  for (const name of REQUIRED)
    if (attributes[name] === undefined || attributes[name] === "") wrong(name, `the event lacks the attribute ${name}`);
  for (const [name, value] of Object.entries(attributes)) {
    const shown = JSON.stringify(name.slice(0, 40));
    if (!ATTRIBUTE_NAME.test(name) || name === "data") {
      wrong(name, `${shown} is no name of an attribute: names hold a-z and 0-9 alone; put other fields into data`);
    } else if (TEXTS.has(name) && typeof value !== "string") {
      wrong(name, `the attribute ${name} is a text`);
    } else if (typeof value === "string" && !isAttributeText(value)) {
      wrong(name, `the attribute ${name} holds a control character, or a code point that is no character: remove it`);
    } else if (!isAttributeValue(value)) {
      wrong(
        name,
        `the attribute ${name} is to be a text, true or false, or a whole number of 32 bits: put others into data`,
      );
    } else if (value === "" && TEXTS.has(name) && !(REQUIRED as readonly string[]).includes(name)) {
      wrong(name, `the attribute ${name} is empty: leave it out`);
    }
  }
  const { specversion, time, traceparent } = attributes;
  if (typeof specversion === "string" && specversion !== "" && specversion !== "1.0")
    wrong("specversion", `specversion ${JSON.stringify(specversion.slice(0, 20))} is not known: send CloudEvents 1.0`);
  if (
    typeof time === "string" &&
    time !== "" &&
    (!/(?:[Zz]|[+-]\d\d:\d\d)$/.test(time) || parseTimestamp(time) === undefined)
  )
    wrong("time", "the attribute time is to be RFC 3339 with its offset (2026-01-31T12:00:00Z)");
  if (traceparent !== undefined && !(typeof traceparent === "string" && TRACEPARENT.test(traceparent)))
    wrong("traceparent", "the attribute traceparent is to be a W3C traceparent: 00-<32 hex>-<16 hex>-<2 hex>");
  return errors;
}

/** The facts that hold the data. An object becomes the facts themselves, unless it has a fact that means something here. */
function factsOf(
  data: EventData,
  place: EventPlace,
  errors: FieldError[],
): { readonly facts: Readonly<Record<string, unknown>>; readonly kept: KeptAttributes["data"] } {
  if (data.is === "absent") return { facts: {}, kept: "absent" };
  if (data.is === "base64") return { facts: { data: data.text }, kept: "base64" };
  const { value } = data;
  if (isJsonObject(value) && !Object.hasOwn(value, KEPT)) return { facts: value, kept: "object" };
  if (isDeeperThan(MAX_DEPTH - 1, value))
    errors.push({
      pointer: place.data,
      message: `the data holds more than ${MAX_DEPTH - 1} objects or lists inside each other: flatten it`,
    });
  return { facts: { data: value }, kept: "value" };
}

interface SignalFields {
  readonly signal: string;
  readonly source: unknown;
  readonly id: string | undefined;
  readonly timestamp?: unknown;
  readonly trace?: unknown;
  readonly cause?: string;
  readonly depth?: number;
}

function fieldsOf(
  { type, id, source, time, traceparent, causationid, correlationid, gangliondepth }: Readonly<Record<string, unknown>>,
  place: EventPlace,
  errors: FieldError[],
): SignalFields {
  const identifier = (name: string, value: unknown): string | undefined => {
    if (typeof value !== "string" || value === "") return undefined;
    const identified = identifierOf(value);
    if (identified !== undefined) return identified;
    const message = `the attribute ${name} is too long: ${LIMITS.identifierLength} characters, of which others than letters, digits and . _ : @ - count three for each byte`;
    errors.push({ pointer: place.attribute(name), message });
    return undefined;
  };
  const cause = identifier("causationid", causationid) ?? identifier("correlationid", correlationid);
  const depth = Number(gangliondepth);
  return {
    signal: nameOfType(String(type)),
    source,
    id: identifier("id", id),
    ...(time === undefined ? {} : { timestamp: time }),
    ...(traceparent === undefined ? {} : { trace: traceparent }),
    ...(cause === undefined ? {} : { cause }),
    ...(Number.isInteger(depth) && depth > 0 ? { depth } : {}),
  };
}

/** The attributes that no field of the signal holds as they are. */
function keptOf(attributes: Readonly<Record<string, unknown>>): KeptAttributes["attributes"] {
  const kept: Record<string, string | number | boolean> = {};
  for (const [name, value] of Object.entries(attributes))
    if (isAttributeValue(value) && !FIELDS.has(name) && !ASSIGNED.has(name)) kept[name] = value;
  const { type, time, causationid, correlationid, datacontenttype } = attributes;
  if (typeof type === "string" && nameOfType(type) !== type) kept.type = type;
  // The log keeps milliseconds.
  if (typeof time === "string" && /\.\d{3}\d*[1-9]/.test(time)) kept.time = time;
  // Beside the same correlationid a causationid would be taken for absent.
  if (typeof causationid === "string" && (causationid === "" || causationid === correlationid))
    kept.causationid = causationid;
  // What JSON is without being said.
  if (datacontenttype === "application/json") delete kept.datacontenttype;
  return kept;
}

/** An error of the signal, where the sender of the event wrote what is wrong. */
export function asEventError(
  { pointer, message }: FieldError,
  attributes: Readonly<Record<string, unknown>>,
  place: EventPlace,
): FieldError {
  const [, field = "", rest = ""] = /^\/(\w+)(.*)$/s.exec(pointer) ?? [];
  if (field === "facts") return { pointer: `${place.data}${rest}`, message };
  const cause = attributes.causationid === undefined ? "correlationid" : "causationid";
  const names: Readonly<Record<string, string>> = { signal: "type", timestamp: "time", trace: "traceparent", cause };
  return {
    pointer: place.attribute(names[field] ?? field),
    message: `the attribute ${names[field] ?? field}: ${message}`,
  };
}
