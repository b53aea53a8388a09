import type { Signal } from "../signals/signal.ts";
import type { RuleBody } from "./api.ts";
import { compileExpression, ExpressionError } from "./expression.ts";
import { effectsWithPointers } from "./rule-effects.ts";
import type { RuleWarning } from "./rule-warning.ts";

/** A condition of a rule, and which signals it is evaluated on. */
export interface Condition {
  readonly pointer: string;
  readonly source: string;
  readonly on: readonly string[];
}

/** Names that the rules refer to; `undefined`: not looked up, because no rule refers to any. */
export interface KnownNames {
  readonly endpoints: ReadonlySet<string> | undefined;
  readonly models: ReadonlySet<string> | undefined;
}

export const callsWebhooks = (rule: RuleBody): boolean => effectsWithPointers(rule).some(([, { webhook }]) => webhook);

/** Warns of effects that would reach nobody, and of questions that nobody would answer. */
export function warnOfNames(rule: RuleBody, { endpoints, models }: KnownNames): RuleWarning[] {
  const warnings: RuleWarning[] = effectsWithPointers(rule).flatMap(([at, { webhook }]) =>
    webhook === undefined || endpoints === undefined || endpoints.has(webhook.endpoint) || webhook.optional === true
      ? []
      : [
          {
            policy: rule.id,
            pointer: `${at}/webhook/endpoint`,
            message:
              `no webhook endpoint "${webhook.endpoint}": its messages become dead letters; ` +
              `add it (ganglion webhooks add ${webhook.endpoint} <url>)`,
          },
        ],
  );
  if (rule.ask === undefined || models === undefined || models.has(rule.ask.model)) return warnings;
  const message = `no model "${rule.ask.model}" in the settings: the fallback "${rule.ask.fallback}" is taken each time; add the model`;
  return [...warnings, { policy: rule.id, pointer: "/ask/model", message }];
}

/** The conditions of a rule that can be tried on a signal alone: those that read `state` cannot. */
export function conditionsOf({ when, where, near_duplicate, expect }: RuleBody): Condition[] {
  const conditions = [
    { pointer: "/where", source: where, on: when },
    { pointer: "/near_duplicate/override", source: near_duplicate?.override, on: when },
    { pointer: "/expect/where", source: expect?.where, on: expect?.signal ?? [] },
  ];
  return conditions.flatMap(({ pointer, source, on }) => {
    if (source === undefined) return [];
    const condition = compileExpression(source, "condition");
    return condition.reads.some((path) => path.split(".")[0] === "state") ? [] : [{ pointer, source, on }];
  });
}

/** The types of facts are not known before a signal comes: a text "true" is not true, and fails the rule. @param sample - a signal of those that the condition is evaluated on */
export function warnOfCondition(
  policy: string,
  { pointer, source }: Condition,
  sample: Signal,
  ecosystem: string,
): RuleWarning[] {
  const { signal, id, source: from, facts } = sample;
  const now = new Date(sample.received_at);
  try {
    compileExpression(source, "condition")({ signal, id, source: from, facts, ecosystem, now, state: {} });
    return [];
  } catch (error) {
    // A fact that is missing may be missing in this signal alone.
    if (!(error instanceof ExpressionError) || /no such key/i.test(error.message)) return [];
    return [{ policy, pointer, message: `fails on the newest such signal (${id}): ${error.message}` }];
  }
}
