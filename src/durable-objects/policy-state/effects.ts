import type { Verdict } from "../../core/policy/verdict.ts";
import { traceOf } from "../../core/signals/trace.ts";
import type { Outgoing } from "../projection/projection.ts";

export const SOURCE = "ganglion/policy";

/**
 * Puts what a verdict wants done into the outgoing box.
 * @returns ids of the signals, tasks and deliveries that it will have caused
 */
export function carryOut(verdict: Verdict, outgoing: Pick<Outgoing, "emit" | "perform">): string[] {
  const { rule, origin, atMs, by } = verdict;
  const name = by === "time" ? `${rule.id}:late` : rule.id;
  return verdict.effects.map((effect, place) => {
    if (effect.kind !== "emit") {
      // A rule decides once on a signal, and once on its not being answered in time.
      return outgoing.perform({ effect, cause: origin.id, rule: rule.id }, `${origin.seq}.${name}.${place}`);
    }
    return outgoing.emit({
      signal: effect.signal,
      facts: effect.facts,
      source: SOURCE,
      timestampMs: atMs,
      cause: origin.id,
      trace: traceOf(`${name}:${origin.id}:${effect.signal}:${place}`, origin),
      depth: (origin.depth ?? 0) + 1,
    });
  });
}
