import * as z from "zod";
import { isJsonObject } from "../json/is-json-object.ts";
import { TRACEPARENT } from "../signals/signal.ts";
import { type EventName, readEventType, type Spelling, writeEventType } from "./event-type.ts";
import { RequestPayload } from "./request.ts";

const Source = z.union([z.string(), z.looseObject({ service: z.string(), instance_id: z.string().nullish() })]);
const Id = z.string().trim().min(1).max(256);

/** What an event may carry around its payload. The oldest writers send the first two and the payload alone. */
const Envelope = z.looseObject({
  correlation_id: Id.nullish(),
  event_type: z.string().nullish(),
  event_id: Id.nullish(),
  causation_id: Id.nullish(),
  timestamp: z.string().nullish(),
  version: z.string().nullish(),
  source: Source.nullish(),
  tenant_id: z.string().nullish(),
  namespace: z.string().nullish(),
  schema_ref: z.string().nullish(),
  payload: z.unknown(),
  /** Headers that newer writers send beside a message. */
  _headers: z.record(z.string(), z.unknown()).nullish(),
});

/** A request as it came: with what its answer has to name. */
export interface RequestEvent {
  readonly correlationId: string | undefined;
  readonly eventId: string | undefined;
  readonly spelling: Spelling;
  /** W3C traceparent. */
  readonly trace: string | undefined;
  readonly payload: RequestPayload;
}

export type ReadRequest =
  | { readonly ok: true; readonly request: RequestEvent }
  /** The type is none that is known: the event is not for a responder, and gets no answer. */
  | { readonly ok: false; readonly unknownType: string }
  /** The request cannot be answered, and its writer is told so under what could be read of it. */
  | { readonly ok: false; readonly message: string; readonly request: Omit<RequestEvent, "payload"> };

/** Reads a request: an event with an envelope, or the payload alone. */
export function readRequest(input: unknown): ReadRequest {
  const document = isJsonObject(input) && input.payload === undefined ? { payload: input } : input;
  const none = { correlationId: undefined, eventId: undefined, spelling: "dotted", trace: undefined } as const;
  const envelope = Envelope.safeParse(document);
  if (!envelope.success) return { ok: false, message: issueText(envelope.error, ""), request: none };
  const { event_type, _headers: headers, payload, correlation_id, event_id } = envelope.data;
  const type = event_type == null ? { event: "requested", spelling: "dotted" as const } : readEventType(event_type);
  if (type?.event !== "requested") return { ok: false, unknownType: (event_type ?? "").slice(0, 200) };
  const read = {
    correlationId: correlation_id ?? headerText(headers, "x-correlation-id"),
    eventId: event_id ?? undefined,
    spelling: type.spelling,
    trace: traceIn(headers),
  };
  const checked = RequestPayload.safeParse(payload);
  if (!checked.success) return { ok: false, message: issueText(checked.error, "/payload"), request: read };
  return { ok: true, request: { ...read, payload: checked.data } };
}

/** Who writes an event, and when. */
export interface WrittenBy {
  readonly eventId: string;
  readonly service: string;
  readonly instanceId: string;
  readonly nowMs: number;
}

/** An event with all fields that its readers know. */
export interface WrittenEvent {
  readonly event_id: string;
  readonly event_type: string;
  readonly correlation_id: string;
  readonly causation_id: string | null;
  readonly timestamp: string;
  readonly version: "1.0.0";
  readonly source: { readonly service: string; readonly instance_id: string };
  readonly payload: Readonly<Record<string, unknown>>;
}

export function writeEvent(
  event: EventName,
  { correlationId, causationId, spelling = "dotted", payload }: WrittenContents,
  { eventId, service, instanceId, nowMs }: WrittenBy,
): WrittenEvent {
  return {
    event_id: eventId,
    event_type: writeEventType(event, spelling),
    correlation_id: correlationId,
    causation_id: causationId ?? null,
    timestamp: new Date(nowMs).toISOString(),
    version: "1.0.0",
    source: { service, instance_id: instanceId },
    payload,
  };
}

interface WrittenContents {
  readonly correlationId: string;
  readonly causationId?: string | undefined;
  readonly spelling?: Spelling;
  readonly payload: Readonly<Record<string, unknown>>;
}

/** An answer as an asker reads it. */
export type ReadAnswer =
  | {
      readonly kind: "completed" | "failed";
      readonly correlationId: string | undefined;
      readonly causationId: string | undefined;
      readonly payload: unknown;
    }
  | { readonly kind: "unknown"; readonly type: string }
  | { readonly kind: "unreadable"; readonly message: string };

export function readAnswer(input: unknown): ReadAnswer {
  const envelope = Envelope.safeParse(input);
  if (!envelope.success) return { kind: "unreadable", message: issueText(envelope.error, "") };
  const { event_type, correlation_id, causation_id, payload, _headers: headers } = envelope.data;
  const type = readEventType(event_type ?? "");
  if (type === undefined || type.event === "requested")
    return { kind: "unknown", type: (event_type ?? "").slice(0, 200) };
  return {
    kind: type.event,
    correlationId: correlation_id ?? headerText(headers, "x-correlation-id"),
    causationId: causation_id ?? undefined,
    payload,
  };
}

type Headers = Readonly<Record<string, unknown>> | null | undefined;

function headerText(headers: Headers, name: string): string | undefined {
  const value = headers?.[name];
  return typeof value === "string" && value.trim() !== "" && value.length <= 256 ? value.trim() : undefined;
}

function traceIn(headers: Headers): string | undefined {
  const trace = headerText(headers, "x-traceparent");
  return trace !== undefined && TRACEPARENT.test(trace) ? trace : undefined;
}

function issueText({ issues }: z.core.$ZodError, at: string): string {
  const [first] = issues;
  if (first === undefined) return "the event cannot be read";
  const pointer = `${at}${first.path.map((part) => `/${String(part)}`).join("")}`;
  return `${pointer === "" ? "the event" : pointer}: ${first.message}`;
}
