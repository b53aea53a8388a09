import { isJsonObject } from "../../../core/json/is-json-object.ts";
import { type NewSignal, TRACEPARENT } from "../../../core/signals/signal.ts";

/**
 * Has signals that name no trace join the one of the request, or of their own facts: programs that are traced send the
 * header by themselves, and programs that pass messages on have it among what they pass on.
 *
 * @param facts - of each signal, as it was sent; absent: they are no facts of the sender's own
 */
export function withTraceOf(
  request: Request,
  signals: readonly NewSignal[],
  facts: readonly unknown[] = [],
): NewSignal[] {
  const header = traceIn(request.headers.get("traceparent"));
  return signals.map((signal, place) => {
    if (signal.trace !== undefined) return signal;
    const own = facts[place];
    const trace = (isJsonObject(own) ? traceIn(own.traceparent) : undefined) ?? header;
    return trace === undefined ? signal : { ...signal, trace };
  });
}

/** @returns `undefined` for what is no traceparent: the standard says to go on without it */
const traceIn = (value: unknown): string | undefined =>
  typeof value === "string" && TRACEPARENT.test(value) ? value : undefined;
