import type { NewSignal } from "../../src/core/signals/signal.ts";
import { formatTimestamp } from "../../src/core/signals/timestamp.ts";

/** A signal whose time is known: what an agent took in must not get the time of a later delivery. */
export type TimedSignal = NewSignal & { readonly timestampMs: number };

/** A signal as JSON, ready to stand in an `append` frame. The facts were serialised at admission and are not touched. */
export function signalText(signal: TimedSignal): string {
  const { id, cause, trace, depth } = signal;
  // Identifiers, traces and names hold no character that JSON escapes; sources may.
  return `{${id === undefined ? "" : `"id":"${id}",`}"signal":"${signal.signal}","source":${JSON.stringify(signal.source)},"timestamp":"${formatTimestamp(signal.timestampMs)}",${cause === undefined ? "" : `"cause":"${cause}",`}${trace === undefined ? "" : `"trace":"${trace}",`}${depth === undefined ? "" : `"depth":${depth},`}"facts":${signal.factsJson}}`;
}
