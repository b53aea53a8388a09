import { LIMITS } from "../signals/limits.ts";
import type { Signal } from "../signals/signal.ts";
import { type CompiledRule, compileRule } from "./compiled-rule.ts";
import type { Expression, Scope } from "./expression.ts";
import { keyOf } from "./key.ts";
import { NameIndex } from "./name-index.ts";
import type { Rule } from "./rule.ts";
import { type EvaluationContext, judge, type RecordedOutcome } from "./rule-evaluation.ts";
import type { Evaluation, RuleOutcome } from "./rule-outcome.ts";
import { RuleState } from "./rule-state.ts";
import type { Origin, StateBodies, StateChange, StateRow } from "./state.ts";

/**
 * Applies rules to signals, one at a time in the order of the log. Time is the time at which the log took the signal,
 * so that the same log gives the same decisions whenever it is read.
 *
 * What it keeps is plain rows: whoever runs it writes the changes of every {@link Evaluation} together with its
 * effects, and gives the rows back with {@link restore}.
 */
export class PolicyEngine {
  readonly #state = new RuleState();
  #rules = new Map<string, CompiledRule>();
  #asked = new NameIndex<CompiledRule>();
  #ending = new NameIndex<CompiledRule>();
  #answered = new NameIndex<CompiledRule>();

  /** @throws InvalidRule for a rule of which some expression is wrong */
  constructor(rules: readonly Rule[]) {
    this.replace(rules);
  }

  get rules(): Rule[] {
    return [...this.#rules.values()].map(({ rule }) => rule);
  }

  get state(): StateRow[] {
    return this.#state.rows;
  }

  /** What is waited for, in no order. */
  get expected(): Extract<StateRow, { kind: "expected" }>[] {
    return this.rules.flatMap(({ id }) =>
      [...this.#state.of("expected", id)].map(([key, body]) => ({ kind: "expected" as const, rule: id, key, body })),
    );
  }

  /** What a rule waits for under a key, if it does. */
  expectation(rule: string, key: string): StateBodies["expected"] | undefined {
    return this.#state.get("expected", rule, key);
  }

  /** When what is expected next will be too late, in milliseconds since the epoch. */
  get nextDueMs(): number | undefined {
    return this.#state.nextDueMs;
  }

  /** Takes the rows back, after a restart or when writing them failed. */
  restore(rows: Iterable<StateRow>): void {
    this.#state.restore(rows);
  }

  /**
   * Puts other rules in force, from the next signal on. A rule that stays keeps its state; what one that goes has kept
   * is let go of, as is what one that is switched off waits for.
   *
   * @throws InvalidRule before anything has changed
   */
  replace(rules: readonly Rule[]): readonly StateChange[] {
    const compiled = rules.map((rule) => {
      const known = this.#rules.get(rule.id);
      return known !== undefined && JSON.stringify(known.rule) === JSON.stringify(rule) ? known : compileRule(rule);
    });
    compiled.sort((a, b) => a.rule.priority - b.rule.priority || (a.rule.id < b.rule.id ? -1 : 1));
    const before = this.#rules;
    this.#rules = new Map(compiled.map((one) => [one.rule.id, one]));
    this.#asked = new NameIndex();
    this.#ending = new NameIndex();
    this.#answered = new NameIndex();
    for (const one of compiled) {
      const { enabled, when, while_in_flight, expect } = one.rule;
      // What was started must be seen to end also while the rule is off: it may be switched on again.
      if (while_in_flight !== undefined) this.#ending.add(while_in_flight.until, one);
      if (enabled) this.#asked.add(when, one);
      if (enabled && expect !== undefined) this.#answered.add(expect.signal, one);
      if (!enabled || expect === undefined) this.#state.forget(one.rule.id, ["expected", "answer"]);
    }
    for (const id of before.keys()) if (!this.#rules.has(id)) this.#state.forget(id);
    return this.#state.takeChanges();
  }

  /**
   * Decides on a signal. Never throws for what stands in it: a rule that cannot read it has failed.
   *
   * @param recorded - what each rule decided on it, where that is known: the rules then keep what they kept then, and no
   * rule that is not named had anything to say. What they did is not told again.
   */
  take(signal: Signal, recorded?: ReadonlyMap<string, RecordedOutcome>): Evaluation {
    const nowMs = Date.parse(signal.received_at);
    // What was due before this signal came is too late; one that comes in the last millisecond is in time.
    const verdicts = this.#late(nowMs, Number.POSITIVE_INFINITY);
    const one = caseOf(signal, nowMs);
    this.#answer(signal, one.scope, nowMs);
    this.#end(signal, one.scope);
    for (const compiled of this.#asked.find(signal.signal)) {
      const known = recorded === undefined ? undefined : (recorded.get(compiled.rule.id) ?? "nothing");
      const verdict = judge(compiled, known === undefined ? one : { ...one, recorded: known }, this.#state);
      if (verdict === undefined) continue;
      verdicts.push(verdict);
      if (compiled.rule.final === true && verdict.outcome === "fired") break;
    }
    return { verdicts, changes: this.#state.takeChanges() };
  }

  /** Puts rows where they were found to belong before, see {@link judgeAgain}. */
  apply(changes: readonly StateChange[]): readonly StateChange[] {
    for (const change of changes) {
      // What a rule that is gone would keep, nobody lets go of.
      if (!this.#rules.has(change.rule)) continue;
      if (change.body === null) this.#state.delete(change.kind, change.rule, change.key);
      else this.#state.set(change as StateRow);
    }
    return this.#state.takeChanges();
  }

  /**
   * Has one rule that failed on a signal decide again, as of the time of the signal. What else followed from the signal
   * has followed.
   *
   * @throws Error that says why the rule does not decide on it, or cannot
   */
  judgeAgain(signal: Signal, rule: string): Evaluation {
    const compiled = this.#asked.find(signal.signal).find((one) => one.rule.id === rule);
    if (compiled === undefined) throw new Error(`no rule ${rule} that is switched on decides on ${signal.signal}`);
    const verdict = judge(compiled, caseOf(signal, Date.parse(signal.received_at)), this.#state);
    return { verdicts: verdict === undefined ? [] : [verdict], changes: this.#state.takeChanges() };
  }

  /**
   * Lets time pass: what was expected before `nowMs` and did not come is too late. The caller vouches that every
   * signal which the log took before `nowMs` has been taken in: else an answer could lie there unread.
   *
   * @param limit - of time-outs in one evaluation; {@link nextDueMs} tells whether there are more
   */
  advance(nowMs: number, limit = Number.POSITIVE_INFINITY): Evaluation {
    const verdicts = this.#late(nowMs, limit);
    return { verdicts, changes: this.#state.takeChanges() };
  }

  #late(nowMs: number, limit: number): RuleOutcome[] {
    return this.#state.expire(nowMs, limit).flatMap(({ rule: id, key, body }): RuleOutcome[] => {
      const compiled = this.#rules.get(id);
      if (compiled === undefined) return [];
      const { rule } = compiled;
      const { since, dueMs } = body;
      const depth = since.depth ?? 0;
      const verdict = { rule, origin: since, atMs: dueMs, by: "time" as const, values: key === "" ? {} : { by: key } };
      if (depth >= LIMITS.causalDepth) {
        const reason = `cut off: the chain of causes above ${since.id} is ${depth} signals long`;
        return [{ ...verdict, outcome: "failed", reason, effects: [], cut: "depth" }];
      }
      const reason = `no ${rule.expect?.signal.join(", ")} within ${rule.expect?.within}`;
      return [{ ...verdict, outcome: "fired", reason, effects: body.else }];
    });
  }

  #answer(signal: Signal, scope: Scope, nowMs: number): void {
    for (const { rule, expect } of this.#answered.find(signal.signal)) {
      if (expect === undefined) continue;
      const key = tryKey(expect.answerBy ?? expect.by, scope, expect.where);
      if (key === undefined) continue;
      if (this.#state.get("expected", rule.id, key) !== undefined) {
        this.#state.delete("expected", rule.id, key);
      } else if (expect.lookbackMs !== undefined) {
        const body = { id: signal.id, atMs: nowMs, untilMs: nowMs + expect.lookbackMs + 1 };
        this.#state.set({ kind: "answer", rule: rule.id, key, body });
      }
    }
  }

  #end(signal: Signal, scope: Scope): void {
    for (const { rule, flight } of this.#ending.find(signal.signal)) {
      if (flight?.untilBy === undefined) {
        this.#state.deleteAll("flight", rule.id);
      } else {
        const key = tryKey(flight.untilBy, scope);
        if (key !== undefined) this.#state.delete("flight", rule.id, key);
      }
    }
  }
}

/** @returns `undefined` where the facts do not say: then the signal is nobody's answer, and a time limit decides */
function tryKey(by: Expression | undefined, scope: Scope, where?: Expression): string | undefined {
  try {
    if (where !== undefined && where(scope) !== true) return undefined;
    return keyOf(by, scope);
  } catch {
    return undefined;
  }
}

function caseOf(signal: Signal, nowMs: number): EvaluationContext {
  const { id, signal: name, source, facts, ecosystem } = signal;
  const scope: Scope = { signal: name, id, source, facts, ecosystem, now: new Date(nowMs), state: {} };
  return { signal, origin: originOf(signal), scope, nowMs };
}

function originOf({ seq, id, signal, trace, depth }: Signal): Origin {
  return {
    ...{ seq, id, signal },
    ...(trace === undefined ? {} : { trace }),
    ...(depth === undefined ? {} : { depth }),
  };
}
