import { writeJson } from "../json/write-json.ts";
import type { Signal } from "../signals/signal.ts";
import { KEPT, type KeptAttributes, readKept } from "./kept-attributes.ts";
import { identifierOf, idOfIdentifier, nameOfType, uriReferenceOf } from "./names.ts";

/** An event in the JSON format. */
export interface CloudEvent {
  readonly specversion: "1.0";
  readonly id: string;
  readonly source: string;
  readonly type: string;
  readonly [attribute: string]: unknown;
}

const NOTHING_KEPT: KeptAttributes = { attributes: {}, data: "object" };

/** The event that a signal is: of a signal that came as an event, the same event. */
export function eventOf(signal: Signal): CloudEvent {
  const kept = readKept(signal.facts);
  const { attributes, data } = kept ?? NOTHING_KEPT;
  const { type, time, ...others } = attributes;
  const sameType = typeof type === "string" && nameOfType(type) === signal.signal;
  const sameTime = typeof time === "string" && Date.parse(time) === Date.parse(signal.timestamp);
  return {
    specversion: "1.0",
    id: idOfIdentifier(signal.id),
    source: uriReferenceOf(signal.source),
    type: sameType ? type : signal.signal,
    time: sameTime ? time : signal.timestamp,
    ...(data === "absent" || "datacontenttype" in others || data === "base64"
      ? {}
      : { datacontenttype: "application/json" }),
    ...others,
    ...causeOf(signal.cause, others),
    ...(signal.trace === undefined ? {} : { traceparent: signal.trace }),
    ...(signal.depth === undefined ? {} : { gangliondepth: signal.depth }),
    ganglionecosystem: signal.ecosystem,
    ganglionreceived: signal.received_at,
    ganglionseq: String(signal.seq),
    ...dataOf(signal.facts, kept),
  };
}

/** The JSON text of the event that a signal is. */
export const eventText = (signal: Signal): string => writeJson(eventOf(signal));

function causeOf(
  cause: string | undefined,
  { causationid, correlationid }: KeptAttributes["attributes"],
): { readonly causationid?: string } {
  if (cause === undefined || causationid !== undefined) return {};
  if (typeof correlationid === "string" && identifierOf(correlationid) === cause) return {};
  return { causationid: idOfIdentifier(cause) };
}

function dataOf(facts: Signal["facts"], kept: KeptAttributes | undefined): Readonly<Record<string, unknown>> {
  switch (kept?.data) {
    case undefined:
      return { data: facts };
    case "absent":
      return {};
    case "value":
      return { data: facts.data };
    case "base64":
      return { data_base64: facts.data };
    case "object": {
      const { [KEPT]: _, ...data } = facts;
      return { data };
    }
  }
}
