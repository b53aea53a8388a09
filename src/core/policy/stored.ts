import type { Policy } from "./api.ts";
import type { Decision } from "./decision.ts";
import type { Rule } from "./rule.ts";
import type { RuleQuestion } from "./rule-question.ts";
import type { StateKey, StateMutation, StateRow } from "./state.ts";

/*
 * Readers of what the rules' object has stored. Each checks the fields on which code depends and no more: the rows were
 * written from values that had passed the schemas, there may be 100,000 of them at a start, and a row of an earlier
 * version may lack fields that were added since.
 */

/** @throws Error where the text is not that of a rule */
export function readStoredRule(text: string): Rule {
  const value: unknown = JSON.parse(text);
  return isRule(value) ? value : refuse("rule", text);
}

/** @throws Error where the text is not that of a rule in force */
export function readStoredPolicy(text: string): Policy {
  const value: unknown = JSON.parse(text);
  return isPolicy(value) ? value : refuse("rule in force", text);
}

/** @throws Error where the text is not that of a decision */
export function readStoredDecision(id: string, text: string): Decision {
  const value: unknown = JSON.parse(text);
  return isDecision(value) ? { ...value, id } : refuse("decision", text);
}

/** @throws Error where the text is not that of the state of this key */
export function readStoredState(
  { kind, rule, key }: { kind: string; rule: string; key: string },
  text: string,
): StateRow {
  const row = { kind, rule, key, body: JSON.parse(text) as unknown };
  return isStateRow(row) ? row : refuse(`state ${kind} of the rule ${rule}`, text);
}

/** @throws Error where the text is not that of a list of mutations */
export function readStoredMutations(text: string): StateMutation[] {
  const value: unknown = JSON.parse(text);
  if (!Array.isArray(value)) return refuse("list of state mutations", text);
  return value.map((one: unknown) => (isStateRow(one) || isDeletion(one) ? one : refuse("state mutation", text)));
}

/** @throws Error where the text is not that of an open question */
export function readStoredQuestion(text: string): RuleQuestion {
  const value: unknown = JSON.parse(text);
  return isQuestion(value) ? value : refuse("open question", text);
}

type Fields = Readonly<Record<string, unknown>>;

function isObject(value: unknown): value is Fields {
  return typeof value === "object" && value !== null;
}

function isRule(value: unknown): value is Rule {
  if (!isObject(value)) return false;
  const { id, version, enabled, when, then, rate } = value;
  return (
    typeof id === "string" &&
    typeof version === "number" &&
    typeof enabled === "boolean" &&
    Array.isArray(when) &&
    Array.isArray(then) &&
    isObject(rate)
  );
}

function isPolicy(value: unknown): value is Policy {
  return isRule(value) && "built_in" in value && "changed_at" in value;
}

function isDecision(value: unknown): value is Omit<Decision, "id"> {
  if (!isObject(value)) return false;
  const { rule, signal, decided_at, outcome, effects } = value;
  return (
    typeof rule === "string" &&
    isObject(signal) &&
    typeof decided_at === "string" &&
    typeof outcome === "string" &&
    Array.isArray(effects)
  );
}

function isStateKey(value: Fields): value is Fields & StateKey {
  return typeof value.kind === "string" && typeof value.rule === "string" && typeof value.key === "string";
}

function isStateRow(value: unknown): value is StateRow {
  if (!isObject(value) || !isStateKey(value) || !isObject(value.body)) return false;
  const { dueMs, since, untilMs } = value.body;
  return value.kind === "expected" ? typeof dueMs === "number" && isObject(since) : typeof untilMs === "number";
}

function isDeletion(value: unknown): value is StateKey & { readonly body: null } {
  return isObject(value) && isStateKey(value) && value.body === null;
}

function isQuestion(value: unknown): value is RuleQuestion {
  if (!isObject(value)) return false;
  const { question, fallback, effects, deadlineMs, rule, origin } = value;
  return (
    isObject(question) &&
    typeof question.id === "string" &&
    typeof fallback === "string" &&
    isObject(effects) &&
    typeof deadlineMs === "number" &&
    typeof rule === "string" &&
    isObject(origin)
  );
}

function refuse(name: string, text: string): never {
  throw new Error(`a stored ${name} is not readable: ${text.slice(0, 100)}`);
}
