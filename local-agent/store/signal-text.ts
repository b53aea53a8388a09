import type { NewSignal } from "../../src/core/signals/signal.ts";
import { formatTimestamp } from "../../src/core/signals/timestamp.ts";

/** A signal with a timestamp: a signal of the spool must not get the time of a later delivery. */
export type TimedSignal = NewSignal & { readonly timestampMs: number };

/** The signal as JSON for an `append` frame. The facts were serialised at admission and are copied as they are. */
export function signalText(signal: TimedSignal): string {
  const { id, cause, trace, depth } = signal;
  // Identifiers, traces and names contain no character that JSON escapes. Sources may.
  return `{${id === undefined ? "" : `"id":"${id}",`}"signal":"${signal.signal}","source":${JSON.stringify(signal.source)},"timestamp":"${formatTimestamp(signal.timestampMs)}",${cause === undefined ? "" : `"cause":"${cause}",`}${trace === undefined ? "" : `"trace":"${trace}",`}${depth === undefined ? "" : `"depth":${depth},`}"facts":${signal.factsJson}}`;
}
