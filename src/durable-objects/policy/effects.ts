import type { Quarantined, RuleOutcome } from "../../core/policy/rule-outcome.ts";
import { formatTimestamp } from "../../core/signals/timestamp.ts";
import { traceOf } from "../../core/signals/trace.ts";
import { decisionKey } from "../../core/telemetry/decision-spans.ts";
import type { Decisions } from "../shell/decisions.ts";

export const SOURCE = "ganglion/policy";

/** Emits that a rule is not evaluated any more. Without a cause, as all signals about the rules themselves. */
export function emitQuarantine({ rule, origin, atMs, reason }: Quarantined, decisions: Pick<Decisions, "emit">): void {
  decisions.emit({
    signal: "Q_POLICY_QUARANTINED",
    source: SOURCE,
    facts: {
      policy: rule.id,
      version: rule.version,
      reason,
      signal_id: origin.id,
      since: formatTimestamp(atMs),
    },
    timestampMs: atMs,
  });
}

/** The outcome of a rule, or of the question that the rule asked. */
export interface DecidedEffects extends Pick<RuleOutcome, "origin" | "atMs" | "effects"> {
  readonly rule: { readonly id: string };
  readonly by: RuleOutcome["by"] | "answer";
}

/**
 * Puts the effects of an outcome into the outbox.
 *
 * @param author - id of the token that put the rule, whose rights count in other ecosystems
 * @returns ids of the signals, tasks and deliveries that the effects cause, in the order of the effects
 */
export function enqueueEffects(
  outcome: DecidedEffects,
  decisions: Pick<Decisions, "emit" | "enqueueEffect">,
  author?: string,
): string[] {
  const { rule, origin, atMs, by } = outcome;
  const name = { signal: rule.id, time: `${rule.id}:late`, answer: `${rule.id}:answer` }[by];
  const follows = {
    cause: origin.id,
    // Names the decision: its span is the parent of all that follows from it.
    trace: traceOf(decisionKey(rule.id, origin.id, by === "time" ? "time" : "signal"), origin),
    depth: (origin.depth ?? 0) + 1,
    ...(origin.hops === undefined ? {} : { hops: origin.hops }),
  };
  return outcome.effects.map((effect, index) => {
    if (effect.kind !== "emit") {
      // A rule decides at most once on a signal, once on its time-out, and once by the answer of a model.
      const key = `${origin.seq}.${name}.${index}`;
      const about = { effect, rule: rule.id, ...(author === undefined ? {} : { author }) };
      return decisions.enqueueEffect({ ...about, seq: origin.seq, ...follows }, key);
    }
    return decisions.emit({
      signal: effect.signal,
      facts: effect.facts,
      source: SOURCE,
      timestampMs: atMs,
      ...follows,
    });
  });
}
