import type { RuleBody, RuleEdit } from "../../../core/policy/api.ts";
import type { RuleWarning } from "../../../core/policy/rule-warning.ts";
import {
  callsWebhooks,
  conditionsOf,
  type KnownNames,
  warnOfCondition,
  warnOfNames,
} from "../../../core/policy/rule-warnings.ts";
import { readSignalLine } from "../../../core/signals/signal-line.ts";
import { logLine } from "../../../durable-objects/shell/log-line.ts";
import type { Environment } from "../../bindings/environment.ts";
import { models, signalLog, webhooks } from "../../bindings/objects.ts";

/** Conditions of one request that are tried on a signal of the log. */
const MAX_SAMPLES = 32;

/**
 * What is allowed in these rules and probably not meant. The rules are in force by now: a part of the edge that does not
 * answer must not make it look otherwise.
 */
export async function warningsOf(
  env: Environment,
  ecosystem: string,
  edits: readonly RuleEdit[],
): Promise<{ warnings?: RuleWarning[] }> {
  const rules = edits.flatMap(({ rule }) => (rule === null ? [] : [rule]));
  try {
    const names = await namesFor(env, ecosystem, rules);
    const warnings = [
      ...rules.flatMap((rule) => warnOfNames(rule, names)),
      ...(await warnOfConditions(env, ecosystem, rules)),
    ];
    return warnings.length === 0 ? {} : { warnings };
  } catch (error) {
    logLine("warn", "rules-not-checked", { ecosystem, object: "policy", error });
    const message = "the rule is in force; whether its endpoints, models and conditions fit could not be checked";
    return { warnings: rules.map(({ id }) => ({ policy: id, pointer: "", message })) };
  }
}

async function namesFor(env: Environment, ecosystem: string, rules: readonly RuleBody[]): Promise<KnownNames> {
  const [endpoints, settings] = await Promise.all([
    rules.some(callsWebhooks) ? webhooks(env, ecosystem).list() : undefined,
    rules.some(({ ask }) => ask !== undefined) ? models(env, ecosystem).settings() : undefined,
  ]);
  return {
    endpoints: endpoints && new Set(endpoints.map(({ id }) => id)),
    models: settings && new Set(settings.models.map(({ name }) => name)),
  };
}

async function warnOfConditions(
  env: Environment,
  ecosystem: string,
  rules: readonly RuleBody[],
): Promise<RuleWarning[]> {
  const log = signalLog(env, ecosystem);
  const conditions = rules.flatMap((rule) => conditionsOf(rule).map((condition) => ({ id: rule.id, condition })));
  const warnings: RuleWarning[] = [];
  for (const { id, condition } of conditions.slice(0, MAX_SAMPLES)) {
    const { lines } = await log.read({ signals: condition.on, order: "desc", limit: 1 });
    const [line] = lines;
    if (line !== undefined) warnings.push(...warnOfCondition(id, condition, readSignalLine(line), ecosystem));
  }
  return warnings;
}
