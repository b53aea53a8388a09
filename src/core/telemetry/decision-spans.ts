import type { Asked, Decision } from "../policy/decision.ts";
import { ATTRIBUTE, OPERATION, SPAN_NAME } from "./attributes.ts";
import { exported, MAX_ERROR_CHARS } from "./payload.ts";
import { KIND, type Span, type SpanContext } from "./span.ts";
import { namedSpan, placeOf, spanIdOf } from "./span-ids.ts";

/**
 * Names a decision in traceparents: of its span, and of what its effects send.
 *
 * @param signalId - of the signal that was decided on; after a time-out, of the one that began the wait
 */
export const decisionKey = (rule: string, signalId: string, by: "signal" | "time"): string =>
  `decide:${rule}${by === "time" ? ":late" : ""}:${signalId}`;

/** The spans of a decision whose question, if it asked one, is settled. */
export function decisionSpans(decision: Decision, context: SpanContext): Span[] {
  const { rule, signal, asked, outcome, by, reason } = decision;
  const place = placeOf(signal.trace, signal.id);
  const spanId = namedSpan(decisionKey(rule, signal.id, by ?? "signal"));
  const atMs = Date.parse(decision.decided_at);
  const failed = outcome === "failed";
  const decided: Span = {
    traceId: place.traceId,
    spanId,
    parentSpanId: place.spanId,
    name: SPAN_NAME.decide(rule),
    kind: KIND.internal,
    startMs: atMs,
    endMs: atMs + (asked?.duration_ms ?? 0),
    attributes: {
      [ATTRIBUTE.rule]: rule,
      [ATTRIBUTE.ruleVersion]: decision.rule_version,
      [ATTRIBUTE.decisionId]: decision.id,
      [ATTRIBUTE.decisionOutcome]: outcome,
      [ATTRIBUTE.decisionBy]: by,
      // Why a rule failed may quote what it read.
      [ATTRIBUTE.decisionReason]: failed && context.payload !== "all" ? undefined : reason?.slice(0, MAX_ERROR_CHARS),
      [ATTRIBUTE.decisionEffects]: decision.effects.length,
      [ATTRIBUTE.signalId]: signal.id,
      [ATTRIBUTE.signalName]: signal.signal,
      [ATTRIBUTE.signalSeq]: signal.seq,
      [ATTRIBUTE.errorType]: failed ? "failed" : undefined,
    },
    failed: failed ? { message: context.payload === "all" ? reason?.slice(0, MAX_ERROR_CHARS) : undefined } : undefined,
    observation: {
      type: "chain",
      traceName: signal.signal,
      tags: [`rule:${rule}`],
      input: exported(JSON.stringify(decision.values), context.payload),
    },
  };
  return asked === undefined ? [decided] : [decided, chatSpan(asked, decided, decision, context)];
}

function chatSpan(asked: Asked, above: Span, decision: Decision, context: SpanContext): Span {
  const { model, state, choice, why, detail, reason } = asked;
  const fellBack = state === "fallback";
  const all = context.payload === "all";
  return {
    traceId: above.traceId,
    spanId: spanIdOf(context, "chat", decisionKey(decision.rule, decision.signal.id, decision.by ?? "signal")),
    parentSpanId: above.spanId,
    name: SPAN_NAME.chat(model),
    kind: KIND.client,
    startMs: above.startMs,
    endMs: above.endMs,
    attributes: {
      [ATTRIBUTE.operation]: OPERATION.chat,
      [ATTRIBUTE.requestModel]: model,
      [ATTRIBUTE.inputTokens]: asked.tokens_in,
      [ATTRIBUTE.outputTokens]: asked.tokens_out,
      [ATTRIBUTE.costUsd]: asked.cost_usd,
      [ATTRIBUTE.choice]: choice,
      [ATTRIBUTE.rule]: decision.rule,
      [ATTRIBUTE.decisionId]: decision.id,
      [ATTRIBUTE.errorType]: fellBack ? (why ?? "fallback") : undefined,
    },
    failed: fellBack ? { message: all ? detail?.slice(0, MAX_ERROR_CHARS) : undefined } : undefined,
    observation: {
      type: "generation",
      tags: above.observation.tags,
      input: all ? exported(JSON.stringify(asked.prompt), "all") : undefined,
      output: all ? exported(JSON.stringify({ choice, reason }), "all") : undefined,
      costUsd: asked.cost_usd,
    },
  };
}
