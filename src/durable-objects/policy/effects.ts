import type { RuleOutcome } from "../../core/policy/rule-outcome.ts";
import { traceOf } from "../../core/signals/trace.ts";
import type { Decisions } from "../shell/decisions.ts";

export const SOURCE = "ganglion/policy";

/** An outcome of a rule, or what came of the question that the rule asked. */
interface DecidedEffects extends Pick<RuleOutcome, "origin" | "atMs" | "effects"> {
  readonly rule: { readonly id: string };
  readonly by: RuleOutcome["by"] | "answer";
}

/**
 * Puts the effects of an outcome into the outbox.
 * @returns ids of the signals, tasks and deliveries that they will have caused
 */
export function carryOut(outcome: DecidedEffects, decisions: Pick<Decisions, "emit" | "enqueueEffect">): string[] {
  const { rule, origin, atMs, by } = outcome;
  const name = { signal: rule.id, time: `${rule.id}:late`, answer: `${rule.id}:answer` }[by];
  const follows = (what: string, place: number) => ({
    cause: origin.id,
    trace: traceOf(`${name}:${origin.id}:${what}:${place}`, origin),
    depth: (origin.depth ?? 0) + 1,
  });
  return outcome.effects.map((effect, place) => {
    if (effect.kind !== "emit") {
      // A rule decides once on a signal, once on its not being answered in time, and once by what a model chose.
      const key = `${origin.seq}.${name}.${place}`;
      return decisions.enqueueEffect({ effect, rule: rule.id, ...follows(effect.kind, place) }, key);
    }
    return decisions.emit({
      signal: effect.signal,
      facts: effect.facts,
      source: SOURCE,
      timestampMs: atMs,
      ...follows(effect.signal, place),
    });
  });
}
