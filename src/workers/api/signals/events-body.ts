import type { Grant } from "../../../core/access/grant.ts";
import { headerPointer, readHeaders } from "../../../core/cloudevents/binary-headers.ts";
import {
  BATCH_TYPE,
  EVENT_TYPE,
  EVENT_TYPE_PREFIX,
  essenceOf,
  isJsonType,
  isTextType,
} from "../../../core/cloudevents/media-types.ts";
import {
  asEventError,
  type EventData,
  type EventPlace,
  placeOf,
  readEvent,
  readStructuredEvent,
} from "../../../core/cloudevents/read-event.ts";
import { JSON_LIMITS, limitsAround } from "../../../core/json/limits.ts";
import type { FieldError } from "../../../core/problem/field-error.ts";
import type { Admission } from "../../../core/signals/admit.ts";
import { LIMITS } from "../../../core/signals/limits.ts";
import type { NewSignal } from "../../../core/signals/signal.ts";
import { decode, parseJson, readAnyBytes, readBody } from "../http/body.ts";
import { invalid } from "../http/refusal.ts";
import { foreignFields, foreignSignal, tooMany } from "./body.ts";

/** Signals that came as events, and where the id of each stands in the request. */
export interface SentEvents {
  readonly signals: NewSignal[];
  readonly pointerOfId: (place: number) => string;
}

const NAMING = { kind: "invalid-event", title: "The event is not valid" };
const BATCH_NAMING = { kind: "invalid-event", title: "Some events are not valid; none was stored" };
const IN_HEADERS: EventPlace = { attribute: headerPointer, data: "" };

/** Whether a request carries CloudEvents: in structured or batched mode by its media type, in binary mode by its headers. */
export function carriesEvents({ headers }: Request): boolean {
  return headers.has("ce-specversion") || essenceOf(headers.get("content-type") ?? "").startsWith(EVENT_TYPE_PREFIX);
}

/** Reads the CloudEvents of a request. All or nothing, as for signals. */
export async function readEvents(request: Request, grant: Grant): Promise<SentEvents> {
  const type = request.headers.get("content-type") ?? "";
  if (!essenceOf(type).startsWith(EVENT_TYPE_PREFIX)) return readBinary(request, type, grant);
  const body = await readBody(request, [EVENT_TYPE, BATCH_TYPE]);
  if (body.type === BATCH_TYPE) return readBatch(body.text, grant);
  const event = parseJson(body.text, NAMING, limitsAround(1));
  return { signals: [admitted(readStructuredEvent(event), placeOf(""), grant)], pointerOfId: () => "/id" };
}

/** An empty batch is a batch: it holds nothing to store. */
function readBatch(text: string, grant: Grant): SentEvents {
  const events = parseJson(text, BATCH_NAMING, limitsAround(2));
  if (!Array.isArray(events))
    throw invalid(BATCH_NAMING.kind, BATCH_NAMING.title, [
      { pointer: "", message: "a batch is an array of CloudEvents" },
    ]);
  if (events.length > LIMITS.batchSignals) throw tooMany();
  const signals: NewSignal[] = [];
  const errors: FieldError[] = [];
  for (const [place, event] of events.entries()) {
    const admission = readStructuredEvent(event, `/${place}`);
    if (admission.ok) signals.push(admission.signal);
    else for (const error of admission.errors) errors.push(error); // one by one: a call takes only so many arguments
  }
  if (errors.length > 0) throw invalid(BATCH_NAMING.kind, BATCH_NAMING.title, errors);
  const foreign = signals.flatMap((signal, place) => foreignIn(signal, placeOf(`/${place}`), grant));
  if (foreign.length > 0) throw foreignSignal(foreign);
  return { signals, pointerOfId: (place) => `/${place}/id` };
}

async function readBinary(request: Request, type: string, grant: Grant): Promise<SentEvents> {
  const reading = readHeaders(request.headers.entries());
  if (!reading.ok) throw invalid(NAMING.kind, NAMING.title, reading.errors);
  const data = dataOf(await readAnyBytes(request), type);
  const signal = admitted(readEvent(reading.attributes, data, IN_HEADERS), IN_HEADERS, grant);
  return { signals: [signal], pointerOfId: () => headerPointer("id") };
}

/** The body of an event in binary mode: JSON and texts as what they say, anything else as its bytes. */
function dataOf(bytes: Uint8Array, type: string): EventData {
  if (bytes.byteLength === 0) return { is: "absent" };
  if (isJsonType(type)) return { is: "json", value: parseJson(decode(bytes), NAMING, JSON_LIMITS) };
  const text = isTextType(type) ? textIn(bytes) : undefined;
  return text === undefined ? { is: "base64", text: base64(bytes) } : { is: "json", value: text };
}

/** @returns `undefined` for bytes that are not UTF-8, which are kept as bytes */
function textIn(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return undefined;
  }
}

const CHUNK = 8_192;

function base64(bytes: Uint8Array): string {
  const parts: string[] = [];
  for (let at = 0; at < bytes.length; at += CHUNK) parts.push(String.fromCharCode(...bytes.subarray(at, at + CHUNK)));
  return btoa(parts.join(""));
}

function admitted(admission: Admission, place: EventPlace, grant: Grant): NewSignal {
  if (!admission.ok) throw invalid(NAMING.kind, NAMING.title, admission.errors);
  const foreign = foreignIn(admission.signal, place, grant);
  if (foreign.length > 0) throw foreignSignal(foreign);
  return admission.signal;
}

const foreignIn = (signal: NewSignal, place: EventPlace, grant: Grant): FieldError[] =>
  foreignFields(signal, grant, "").map((error) => asEventError(error, {}, place));
