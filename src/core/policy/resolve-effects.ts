import { MAX_DEPTH } from "../json/limits.ts";
import { isDeeperThan } from "../json/prune-deep.ts";
import { fieldErrors } from "../problem/field-errors.ts";
import { ANYONE } from "../queue/task.ts";
import { TASK_ID, TASK_ID_RULE } from "../queue/task-input.ts";
import { knownSignal } from "../signals/known-signals.ts";
import { exceedsBytes, LIMITS } from "../signals/limits.ts";
import { IDENTIFIER, type Signal } from "../signals/signal.ts";
import type { CompiledEffect } from "./compiled-rule.ts";
import type { Effect } from "./effect.ts";
import type { Scope } from "./expression.ts";

/**
 * Resolves the values of effects from a signal.
 *
 * @throws Error for a value that the receiver of the effect would refuse: then the rule has failed, not the receiver
 */
export function resolveEffects(effects: readonly CompiledEffect[], scope: Scope, signal: Signal): Effect[] {
  return effects.map((effect) => resolve(effect, scope, signal));
}

function resolve(effect: CompiledEffect, scope: Scope, signal: Signal): Effect {
  switch (effect.kind) {
    case "emit": {
      const facts = checkedFacts(effect.signal, valuesOf(effect.facts, scope));
      return { kind: "emit", signal: effect.signal, facts: limited(facts, "the facts") };
    }
    case "enqueue": {
      const recipient = effect.recipient(scope);
      if (typeof recipient !== "string" || (recipient !== ANYONE && !IDENTIFIER.test(recipient))) {
        throw new Error(`invalid recipient of a task: ${JSON.stringify(recipient)}`);
      }
      const priority = typeof effect.priority === "number" ? effect.priority : effect.priority(scope);
      if (typeof priority !== "number" || !Number.isInteger(priority) || priority < 1 || priority > 10) {
        throw new Error(`invalid priority of a task: ${JSON.stringify(priority)}; give a whole number from 1 to 10`);
      }
      const taskId = effect.taskId?.(scope);
      if (taskId !== undefined && (typeof taskId !== "string" || !TASK_ID.test(taskId))) {
        throw new Error(`invalid id of a task: ${JSON.stringify(taskId)}; ${TASK_ID_RULE}`);
      }
      const payload = limited(effect.payload === undefined ? signal : valuesOf(effect.payload, scope), "the payload");
      const { queue, type } = effect;
      const id = taskId === undefined ? {} : { taskId };
      return { kind: "enqueue", queue, recipient, type, payload, priority, ...id, ...effect.limits };
    }
    case "webhook": {
      const body = limited(effect.body === undefined ? signal : valuesOf(effect.body, scope), "the body");
      return { kind: "webhook", endpoint: effect.endpoint, body, ...(effect.optional ? { optional: true } : {}) };
    }
    case "maintenance": {
      const reason = effect.reason?.(scope) ?? null;
      const text = reason === null ? null : String(reason).slice(0, 1_000);
      return { kind: "maintenance", enabled: effect.enabled, reason: text };
    }
    case "answer": {
      const question = effect.question === undefined ? signal.facts.question_id : effect.question(scope);
      if (typeof question !== "string" || question === "")
        throw new Error(`invalid id of a question: ${JSON.stringify(question)}; name it, or wait for Q_QUESTION_ASKED`);
      const answer = effect.answer(scope);
      if (typeof answer !== "string" || answer === "" || answer.length > 4_000)
        throw new Error(`invalid answer: ${JSON.stringify(answer)?.slice(0, 200)}; give a text`);
      const comment = effect.comment?.(scope) ?? null;
      return { kind: "answer", question, answer, comment: comment === null ? null : String(comment).slice(0, 2_000) };
    }
    case "forward": {
      const { seq, id, source, ecosystem, facts, timestamp } = signal;
      // Under its own name a signal has passed this check already.
      if (effect.signal !== undefined) checkedFacts(effect.signal, facts);
      const via = { ecosystem, seq, id, signal: signal.signal, source };
      const name = effect.signal ?? signal.signal;
      return { kind: "forward", ecosystem: effect.ecosystem, signal: name, facts, timestamp, via };
    }
  }
}

/** @throws Error where the facts are not those of a signal of this name */
function checkedFacts(name: string, facts: Record<string, unknown>): Record<string, unknown> {
  const checked = knownSignal(name)?.facts.safeParse(facts);
  if (checked !== undefined && !checked.success) {
    const [first] = fieldErrors(checked.error.issues, "/facts");
    throw new Error(`invalid facts for ${name}: ${first?.pointer} ${first?.message}`);
  }
  return facts;
}

type Values = Extract<CompiledEffect, { kind: "emit" }>["facts"];

export function valuesOf(fields: Values, scope: Scope): Record<string, unknown> {
  return Object.fromEntries(fields.map(([name, value]) => [name, value(scope)]));
}

/** A whole signal as the log holds it passes; a larger value would exceed the limits of its receiver. */
const MAX_BYTES = LIMITS.signalBytes + 4_096;

function limited<Value>(value: Value, name: string): Value {
  const json = JSON.stringify(value);
  if (exceedsBytes(json, MAX_BYTES)) throw new Error(`${name} takes too many bytes: ${LIMITS.signalBytes} are allowed`);
  // Each level takes two brackets. A whole signal has one level more than its facts.
  if (json.length > 2 * MAX_DEPTH && isDeeperThan(MAX_DEPTH + 1, value))
    throw new Error(`${name} holds more than ${MAX_DEPTH} objects or lists inside each other: flatten the values`);
  return value;
}
