import type { RuleOutcome } from "../../core/policy/rule-outcome.ts";
import { traceOf } from "../../core/signals/trace.ts";
import type { Outgoing } from "../shell/projection.ts";

export const SOURCE = "ganglion/policy";

/** A verdict, or what came of the question that it asked. */
interface Doing extends Pick<RuleOutcome, "origin" | "atMs" | "effects"> {
  readonly rule: { readonly id: string };
  readonly by: RuleOutcome["by"] | "answer";
}

/**
 * Puts what a verdict wants done into the outgoing box.
 * @returns ids of the signals, tasks and deliveries that it will have caused
 */
export function carryOut(verdict: Doing, outgoing: Pick<Outgoing, "emit" | "perform">): string[] {
  const { rule, origin, atMs, by } = verdict;
  const name = { signal: rule.id, time: `${rule.id}:late`, answer: `${rule.id}:answer` }[by];
  const follows = (what: string, place: number) => ({
    cause: origin.id,
    trace: traceOf(`${name}:${origin.id}:${what}:${place}`, origin),
    depth: (origin.depth ?? 0) + 1,
  });
  return verdict.effects.map((effect, place) => {
    if (effect.kind !== "emit") {
      // A rule decides once on a signal, once on its not being answered in time, and once by what a model chose.
      const key = `${origin.seq}.${name}.${place}`;
      return outgoing.perform({ effect, rule: rule.id, ...follows(effect.kind, place) }, key);
    }
    return outgoing.emit({
      signal: effect.signal,
      facts: effect.facts,
      source: SOURCE,
      timestampMs: atMs,
      ...follows(effect.signal, place),
    });
  });
}
