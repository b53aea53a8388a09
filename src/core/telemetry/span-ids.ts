import { TRACEPARENT } from "../signals/signal.ts";
import { traceOf } from "../signals/trace.ts";
import type { SpanContext } from "./span.ts";

const NO_TRACE = /^0+$/;

/** A span and the trace that it belongs to. */
export interface SpanPlace {
  readonly traceId: string;
  /** `undefined`: nothing above is a span. */
  readonly spanId: string | undefined;
}

/**
 * The place that a traceparent names. Where there is none, or one of zeroes, which the standard forbids, the trace follows
 * from the id of the signal or task that began the chain, as for every signal that follows from it.
 */
export function placeOf(trace: string | undefined, id: string): SpanPlace {
  if (trace !== undefined && TRACEPARENT.test(trace)) {
    const [, traceId = "", spanId = ""] = trace.split("-");
    if (!NO_TRACE.test(traceId)) return { traceId, spanId: NO_TRACE.test(spanId) ? undefined : spanId };
  }
  return { traceId: traceOf(id, { id }).slice(3, 35), spanId: undefined };
}

/** The id of the span that a traceparent made by {@link traceOf} from `key` names. */
export const namedSpan = (key: string): string => traceOf(key, { id: key }).slice(36, 52);

/**
 * The id of a span that no traceparent names. It follows from what the span is about, so a span that is sent again, after a
 * crash or a lost answer, has the id that the receiver knows.
 */
export function spanIdOf(context: Pick<SpanContext, "digest">, kind: string, id: string, attempt = 0): string {
  const digits = context.digest(JSON.stringify([kind, id, attempt])).slice(0, 16);
  return NO_TRACE.test(digits) ? "0000000000000001" : digits;
}
