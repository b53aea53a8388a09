import type { Signal } from "../signals/signal.ts";
import { ATTRIBUTE, OPERATION, SPAN_NAME } from "./attributes.ts";
import { exported, MAX_ERROR_CHARS } from "./payload.ts";
import { KIND, type Span, type SpanContext } from "./span.ts";
import { placeOf, spanIdOf } from "./span-ids.ts";

/** Signals by which reactions, and built-ins that emit one signal a run, tell their end. */
export const REACTION_SIGNALS = [
  "Q_REACTION_COMPLETE",
  "Q_REACTION_FAILED",
  "Q_DREAM_COMPLETE",
  "Q_DREAM_FAILED",
  "Q_INVESTIGATION_COMPLETE",
  "Q_INVESTIGATION_FAILED",
  "Q_MODULE_INTEGRATED",
  "Q_INTEGRATION_FAILED",
] as const;

/** `reaction/<name>/<host>`, the source of the signals that a host's reactions emit. */
const SOURCE = /^reaction\/([^/]+)\/(.+)$/;

export const isOfReaction = ({ source }: Pick<Signal, "source">): boolean => SOURCE.test(source);

/**
 * The spans of a reaction that has ended, by the signal that tells its end, and names the reaction's span in its trace.
 *
 * @param trigger - traceparent of the signal that the reaction was about; `undefined`: unknown
 */
export function reactionSpans(signal: Signal, trigger: string | undefined, context: SpanContext): Span[] {
  const [, name = "", host = ""] = SOURCE.exec(signal.source) ?? [];
  const { facts, cause = signal.id } = signal;
  const place = placeOf(signal.trace, cause);
  const spanId = place.spanId ?? spanIdOf(context, "reaction", `${context.ecosystem}/${signal.id}`);
  const above = placeOf(trigger, cause);
  const endMs = Date.parse(signal.timestamp);
  const durationMs = numberOf(facts.duration_ms);
  const exitCode = numberOf(facts.exit_code);
  const failed = typeof facts.error === "string";
  const errorType = failed ? (exitCode === undefined || exitCode === 0 ? "failed" : `exit_${exitCode}`) : undefined;
  const message = failed && context.payload === "all" ? String(facts.error).slice(0, MAX_ERROR_CHARS) : undefined;
  const startMs = endMs - Math.max(0, durationMs ?? 0);
  const tags = [`agent:${name}`, `host:${host}`];
  const shared = {
    traceId: place.traceId,
    kind: KIND.internal,
    startMs,
    endMs,
    failed: failed ? { message } : undefined,
  };
  const run: Span = {
    ...shared,
    spanId,
    // The trace of another log, or one that was lost, is no parent in this trace.
    parentSpanId: above.traceId === place.traceId && above.spanId !== spanId ? above.spanId : undefined,
    name: SPAN_NAME.agent(name),
    attributes: {
      [ATTRIBUTE.operation]: OPERATION.agent,
      [ATTRIBUTE.agent]: name,
      [ATTRIBUTE.reaction]: name,
      [ATTRIBUTE.reactionHost]: host,
      [ATTRIBUTE.reactionAttempt]: numberOf(facts.attempt) ?? numberOf(facts.attempts),
      [ATTRIBUTE.signalId]: signal.cause,
      [ATTRIBUTE.signalName]: signal.signal,
      [ATTRIBUTE.signalSeq]: signal.seq,
      [ATTRIBUTE.errorType]: errorType,
    },
    observation: {
      type: "agent",
      traceName: `reaction_${name}`,
      tags,
      output: exported(JSON.stringify(facts), context.payload),
    },
  };
  if (durationMs === undefined) return [run];
  const command: Span = {
    ...shared,
    spanId: spanIdOf(context, "command", `${context.ecosystem}/${signal.id}`),
    parentSpanId: spanId,
    name: SPAN_NAME.command(name),
    attributes: {
      [ATTRIBUTE.reaction]: name,
      [ATTRIBUTE.exitCode]: exitCode,
      [ATTRIBUTE.errorType]: errorType,
    },
    observation: { type: "tool", tags },
  };
  return [run, command];
}

const numberOf = (value: unknown): number | undefined =>
  typeof value === "number" && Number.isFinite(value) ? value : undefined;
