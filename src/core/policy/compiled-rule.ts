import type { FieldError } from "../problem/field-error.ts";
import { escapePointer } from "../problem/field-errors.ts";
import type { Accept } from "../queue/accept.ts";
import { needsOf } from "../queue/task-input.ts";
import { ruleError } from "./accept-rule.ts";
import { type CompiledContext, compileContext } from "./ask-context.ts";
import { checkedMs } from "./duration.ts";
import type { EffectSpec } from "./effect.ts";
import { compileExpression, type Expression } from "./expression.ts";
import { compileMute, type Mute } from "./mute.ts";
import { type ReadPath, readPath } from "./read-paths.ts";
import type { Rule } from "./rule.ts";
import { effectsWithPointers } from "./rule-effects.ts";

type Fields = readonly (readonly [name: string, value: Expression])[];

/** An effect whose values are not resolved yet. Times are milliseconds. */
export type CompiledEffect =
  | { readonly kind: "emit"; readonly signal: string; readonly facts: Fields }
  | {
      readonly kind: "enqueue";
      readonly queue: string;
      readonly type: string;
      readonly recipient: Expression;
      readonly payload: Fields | undefined;
      readonly priority: Expression | number;
      readonly taskId: Expression | undefined;
      readonly limits: {
        delayMs: number;
        maxAttempts?: number;
        timeoutMs?: number;
        deadlineMs?: number;
        needs?: string[];
        accept?: Accept;
        limits?: string[];
      };
    }
  | {
      readonly kind: "webhook";
      readonly endpoint: string;
      readonly body: Fields | undefined;
      readonly optional: boolean;
    }
  | { readonly kind: "maintenance"; readonly enabled: boolean; readonly reason: Expression | undefined }
  /** `question`: its id; `undefined`: the one that the signal tells of. */
  | {
      readonly kind: "answer";
      readonly answer: Expression;
      readonly question: Expression | undefined;
      readonly comment: Expression | undefined;
    }
  /** `signal`: its name there; `undefined`: its own. */
  | { readonly kind: "forward"; readonly ecosystem: string; readonly signal: string | undefined };

export interface CompiledRule {
  readonly rule: Rule;
  readonly where: Expression | undefined;
  readonly atLeast: { readonly n: number; readonly withinMs: number; readonly by: Expression | undefined } | undefined;
  readonly cooldownMs: number | undefined;
  readonly oncePer: { readonly by: Expression; readonly withinMs: number } | undefined;
  readonly inFlight:
    | { readonly by: Expression | undefined; readonly untilBy: Expression | undefined; readonly atMostMs: number }
    | undefined;
  readonly nearDuplicate:
    | {
        readonly text: Expression;
        readonly withinMs: number;
        readonly by: Expression | undefined;
        readonly name: Expression | undefined;
        readonly override: Expression | undefined;
        readonly else: readonly CompiledEffect[];
      }
    | undefined;
  readonly mutes: readonly Mute[];
  readonly remember: Fields;
  readonly rememberBy: Expression | undefined;
  readonly rate: { readonly n: number; readonly perMs: number };
  readonly share: { readonly n: number; readonly perMs: number } | undefined;
  readonly then: readonly CompiledEffect[];
  readonly ask:
    | {
        readonly model: string;
        readonly prompt: Expression;
        readonly context: CompiledContext | undefined;
        readonly timeoutMs: number;
        readonly fallback: string;
        readonly choices: readonly {
          readonly name: string;
          readonly means: string | undefined;
          readonly then: readonly CompiledEffect[];
        }[];
      }
    | undefined;
  readonly expect:
    | {
        readonly by: Expression | undefined;
        readonly answerBy: Expression | undefined;
        readonly where: Expression | undefined;
        readonly withinMs: number;
        readonly lookbackMs: number | undefined;
        readonly else: readonly CompiledEffect[];
      }
    | undefined;
  /** Some effect of the rule leads into another ecosystem. */
  readonly forwards: boolean;
  /** Paths of the values that explain a decision. */
  readonly reads: readonly ReadPath[];
}

/** A rule with an invalid expression, time or time zone. */
export class InvalidRule extends Error {
  readonly errors: readonly FieldError[];

  constructor(rule: string, errors: readonly FieldError[]) {
    super(errors.map(({ pointer, message }) => `rule ${rule}, ${pointer}: ${message}`).join("; "));
    this.errors = errors;
  }
}

/** @throws InvalidRule with all errors, each with its JSON pointer in the rule */
export function compileRule(rule: Rule): CompiledRule {
  const compiler = new RuleCompiler();
  const { at_least, once_per, while_in_flight, near_duplicate, ask, expect } = rule;
  const compiled: CompiledRule = {
    rule,
    where: compiler.optional(rule.where, "/where", "condition"),
    atLeast: at_least && {
      n: at_least.n,
      withinMs: checkedMs(at_least.within),
      by: compiler.optional(at_least.by, "/at_least/by"),
    },
    cooldownMs: rule.cooldown === undefined ? undefined : checkedMs(rule.cooldown),
    oncePer: once_per && {
      by: compiler.expression(once_per.by, "/once_per/by"),
      withinMs: checkedMs(once_per.within),
    },
    inFlight: while_in_flight && {
      by: compiler.optional(while_in_flight.by, "/while_in_flight/by"),
      untilBy: compiler.optional(while_in_flight.until_by, "/while_in_flight/until_by"),
      atMostMs: checkedMs(while_in_flight.at_most),
    },
    nearDuplicate: near_duplicate && {
      text: compiler.expression(near_duplicate.text, "/near_duplicate/text"),
      withinMs: checkedMs(near_duplicate.within),
      by: compiler.optional(near_duplicate.by, "/near_duplicate/by"),
      name: compiler.optional(near_duplicate.name, "/near_duplicate/name"),
      override: compiler.optional(near_duplicate.override, "/near_duplicate/override", "condition"),
      else: compiler.effects(near_duplicate.else ?? [], "/near_duplicate/else", true),
    },
    mutes: (rule.mute ?? []).map((window, place) => compiler.mute(window, `/mute/${place}`)),
    remember: compiler.fields(rule.remember ?? {}, "/remember"),
    rememberBy: compiler.optional(rule.remember_by, "/remember_by"),
    rate: { n: rule.rate.n, perMs: checkedMs(rule.rate.per) },
    share: rule.share && { n: rule.share.n, perMs: checkedMs(rule.share.per) },
    then: compiler.effects(rule.then, "/then"),
    ask: ask && {
      model: ask.model,
      fallback: ask.fallback,
      timeoutMs: checkedMs(ask.timeout),
      prompt: compiler.expression(ask.prompt, "/ask/prompt"),
      context:
        ask.context && compileContext(ask.context, (source, at) => compiler.expression(source, `/ask/context${at}`)),
      choices: ask.choices.map(({ name, means, then }, place) => ({
        name,
        means,
        then: compiler.effects(then, `/ask/choices/${place}/then`),
      })),
    },
    expect: expect && {
      by: compiler.optional(expect.by, "/expect/by"),
      answerBy: compiler.optional(expect.answer_by, "/expect/answer_by"),
      where: compiler.optional(expect.where, "/expect/where", "condition"),
      withinMs: checkedMs(expect.within),
      lookbackMs: expect.lookback === undefined ? undefined : checkedMs(expect.lookback),
      else: compiler.effects(expect.else, "/expect/else"),
    },
    forwards: effectsWithPointers(rule).some(([, { forward }]) => forward !== undefined),
    reads: [...compiler.reads].sort().slice(0, 32).map(readPath),
  };
  if (compiler.errors.length > 0) throw new InvalidRule(rule.id, compiler.errors);
  return compiled;
}

class RuleCompiler {
  readonly errors: FieldError[] = [];
  readonly reads = new Set<string>();

  optional(source: string | undefined, at: string, result?: "condition"): Expression | undefined {
    return source === undefined ? undefined : this.expression(source, at, result);
  }

  expression(source: string, at: string, result: "any" | "condition" = "any", duplicate = false): Expression {
    try {
      const expression = compileExpression(source, result, { duplicate });
      for (const path of expression.reads) this.reads.add(path);
      return expression;
    } catch (error) {
      this.errors.push({ pointer: at, message: error instanceof Error ? error.message : String(error) });
      // Never evaluated: compileRule throws when there are errors.
      return Object.assign(() => null, { reads: [] });
    }
  }

  fields(sources: Readonly<Record<string, string>>, at: string, duplicate = false): Fields {
    return Object.entries(sources).map(
      ([name, source]) => [name, this.expression(source, `${at}/${escapePointer(name)}`, "any", duplicate)] as const,
    );
  }

  mute(window: Parameters<typeof compileMute>[0], at: string): Mute {
    try {
      return compileMute(window);
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      const pointer = message.includes("imezone") ? `${at}/zone` : `${at}/from`;
      this.errors.push({ pointer, message: /zone$/.test(pointer) ? "unknown time zone" : message });
      return () => undefined;
    }
  }

  effects(specs: readonly EffectSpec[], at: string, duplicate = false): CompiledEffect[] {
    return specs.flatMap((spec, place) => this.#effect(spec, `${at}/${place}`, duplicate));
  }

  #effect(
    { emit, enqueue, webhook, maintenance, forward, answer }: EffectSpec,
    at: string,
    duplicate: boolean,
  ): CompiledEffect[] {
    const value = (source: string, field: string) => this.expression(source, `${at}/${field}`, "any", duplicate);
    const fields = (sources: Readonly<Record<string, string>>, field: string) =>
      this.fields(sources, `${at}/${field}`, duplicate);
    if (emit !== undefined) return [{ kind: "emit", signal: emit.signal, facts: fields(emit.facts, "emit/facts") }];
    if (webhook !== undefined) {
      const body = webhook.body && fields(webhook.body, "webhook/body");
      return [{ kind: "webhook", endpoint: webhook.endpoint, body, optional: webhook.optional === true }];
    }
    if (maintenance !== undefined) {
      const reason = maintenance.reason === undefined ? undefined : value(maintenance.reason, "maintenance/reason");
      return [{ kind: "maintenance", enabled: maintenance.enabled, reason }];
    }
    if (answer !== undefined) {
      const optional = (source: string | undefined, field: string) => source && value(source, `answer/${field}`);
      const [question, comment] = [optional(answer.question, "question"), optional(answer.comment, "comment")];
      return [
        {
          kind: "answer",
          answer: value(answer.answer, "answer/answer"),
          question: question || undefined,
          comment: comment || undefined,
        },
      ];
    }
    if (forward !== undefined) return [{ kind: "forward", ecosystem: forward.ecosystem, signal: forward.signal }];
    if (enqueue === undefined) return [];
    const { queue, type, recipient, payload, priority = 5, task_id, delay, max_attempts, timeout, deadline } = enqueue;
    const { accept, limits = [] } = enqueue;
    const unclear = accept?.rule === undefined ? undefined : ruleError(accept.rule, `${at}/enqueue/accept/rule`);
    if (unclear !== undefined) this.errors.push(unclear);
    return [
      {
        kind: "enqueue",
        queue,
        type,
        recipient: value(recipient, "enqueue/recipient"),
        payload: payload && fields(payload, "enqueue/payload"),
        priority: typeof priority === "number" ? priority : value(priority, "enqueue/priority"),
        taskId: task_id === undefined ? undefined : value(task_id, "enqueue/task_id"),
        limits: {
          delayMs: delay === undefined ? 0 : checkedMs(delay),
          ...(max_attempts === undefined ? {} : { maxAttempts: max_attempts }),
          ...(timeout === undefined ? {} : { timeoutMs: checkedMs(timeout) }),
          ...(deadline === undefined ? {} : { deadlineMs: checkedMs(deadline) }),
          ...needsOf(enqueue),
          ...(accept === undefined ? {} : { accept }),
          ...(limits.length === 0 ? {} : { limits }),
        },
      },
    ];
  }
}
