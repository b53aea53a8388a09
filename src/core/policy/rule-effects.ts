import type { RuleBody } from "./api.ts";
import type { EffectSpec } from "./effect.ts";

/** Every effect that a rule can have, whatever the rule decides, with its JSON pointer in the rule. */
export function effectsWithPointers({ then, ask, expect, near_duplicate }: RuleBody): [string, EffectSpec][] {
  const at = (pointer: string, effects: readonly EffectSpec[] = []) =>
    effects.map((effect, place): [string, EffectSpec] => [`${pointer}/${place}`, effect]);
  return [
    ...at("/then", then),
    ...(ask?.choices.flatMap((choice, place) => at(`/ask/choices/${place}/then`, choice.then)) ?? []),
    ...at("/expect/else", expect?.else),
    ...at("/near_duplicate/else", near_duplicate?.else),
  ];
}

/** Whether a rule has effects in other ecosystems. */
export const reachesElsewhere = (rule: RuleBody): boolean =>
  effectsWithPointers(rule).some(([, { forward, enqueue }]) => forward !== undefined || enqueue?.queue.includes("/"));

/** Whether a rule can answer questions to people. */
export const answersPeople = (rule: RuleBody): boolean =>
  effectsWithPointers(rule).some(([, { answer }]) => answer !== undefined);

/** Whether a rule can put tasks into a queue. */
export const enqueuesInto = (rule: RuleBody, queue: string): boolean =>
  effectsWithPointers(rule).some(([, { enqueue }]) => enqueue?.queue === queue);
