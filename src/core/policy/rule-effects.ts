import type { RuleBody } from "./api.ts";
import type { EffectSpec } from "./effect.ts";

/** Every effect that a rule can have, whatever the rule decides. */
function effectsOf({ then, ask, expect, near_duplicate }: RuleBody): EffectSpec[] {
  return [
    ...then,
    ...(ask?.choices.flatMap((choice) => choice.then) ?? []),
    ...(expect?.else ?? []),
    ...(near_duplicate?.else ?? []),
  ];
}

/** Whether a rule can put tasks into a queue. */
export const enqueuesInto = (rule: RuleBody, queue: string): boolean =>
  effectsOf(rule).some(({ enqueue }) => enqueue?.queue === queue);
