import type { Signal } from "../signals/signal.ts";
import { type CompiledRule, compileRule } from "./compiled-rule.ts";
import { evaluateRule } from "./evaluate-rule.ts";
import { contextOf, type EvaluationContext, type RecordedOutcome, scopeWith } from "./evaluation-context.ts";
import type { Expression, Scope } from "./expression.ts";
import { type HeldBack, holdBack } from "./hold-back.ts";
import { keyOf } from "./key.ts";
import { depthExceeded } from "./loop-guard.ts";
import { bodyOf, sameRule } from "./plan-edits.ts";
import type { Rule } from "./rule.ts";
import { RuleIndex } from "./rule-index.ts";
import type { Evaluation, Quarantined, RuleOutcome } from "./rule-outcome.ts";
import { RuleState, type StateLimits } from "./rule-state.ts";
import { SignalWork } from "./signal-work.ts";
import type { StateBodies, StateMutation, StateRow } from "./state.ts";
import type { HeldMark } from "./state-import.ts";
import { STEPS, WorkExceeded } from "./work-budget.ts";

/**
 * Applies rules to signals, one at a time in the order of the log. Time is the time at which the log received the signal,
 * so that the same log gives the same decisions whenever it is read.
 *
 * The state of the rules is plain rows: the caller writes the mutations of every {@link Evaluation} together with its
 * effects, and gives the rows back with {@link restore}.
 */
export class PolicyEngine {
  readonly #state: RuleState;
  #rules = new Map<string, CompiledRule>();
  #index = new RuleIndex();
  #steps = 0;

  /** @throws InvalidRule for a rule with an invalid expression */
  constructor(rules: readonly Rule[], limits: StateLimits = {}) {
    this.#state = new RuleState(limits);
    this.replace(rules);
  }

  get rules(): Rule[] {
    return [...this.#rules.values()].map(({ rule }) => rule);
  }

  get state(): StateRow[] {
    return this.#state.rows;
  }

  /** What the state takes in memory, about. */
  get stateBytes(): number {
    return this.#state.bytes;
  }

  /** All open expectations, in no order. */
  get expected(): Extract<StateRow, { kind: "expected" }>[] {
    return this.rules.flatMap(({ id }) =>
      [...this.#state.entries("expected", id)].map(([key, body]) => ({
        kind: "expected" as const,
        rule: id,
        key,
        body,
      })),
    );
  }

  /** The open expectation of a rule under a key. */
  expectation(rule: string, key: string): StateBodies["expected"] | undefined {
    return this.#state.get("expected", rule, key);
  }

  /** Why a rule is not evaluated any more. @returns `undefined` where it is */
  quarantine(rule: string): StateBodies["quarantine"] | undefined {
    return this.#state.get("quarantine", rule, "");
  }

  /** Steps of all evaluations so far; a measure of the work that does not depend on the machine. */
  get steps(): number {
    return this.#steps;
  }

  /** When the next expectation will be too late, in milliseconds since the epoch. */
  get nextDueMs(): number | undefined {
    return this.#state.nextDueMs;
  }

  /** Replaces the state by these rows, after a restart or when writing failed. */
  restore(rows: Iterable<StateRow>): void {
    this.#state.restore(rows);
    this.#reindex();
  }

  /**
   * Puts other rules in force, from the next signal on. A rule that stays keeps its state. The state of a rule that goes
   * is deleted, and so are the expectations of a rule that is disabled. An edit ends a rule's quarantine.
   *
   * @throws InvalidRule before anything has changed
   */
  replace(rules: readonly Rule[]): readonly StateMutation[] {
    const compiled = rules.map((rule) => {
      const known = this.#rules.get(rule.id);
      return known !== undefined && JSON.stringify(known.rule) === JSON.stringify(rule) ? known : compileRule(rule);
    });
    compiled.sort((a, b) => a.rule.priority - b.rule.priority || (a.rule.id < b.rule.id ? -1 : 1));
    const before = this.#rules;
    this.#rules = new Map(compiled.map((one) => [one.rule.id, one]));
    for (const { rule } of compiled) {
      const known = before.get(rule.id)?.rule;
      if (known !== undefined && known !== rule && !sameRule(bodyOf(known), bodyOf(rule))) {
        this.#state.forget(rule.id, ["quarantine"]);
      }
      if (!rule.enabled || rule.expect === undefined) this.#state.forget(rule.id, ["expected", "answer"]);
    }
    for (const id of before.keys()) if (!this.#rules.has(id)) this.#state.forget(id);
    this.#reindex();
    return this.#state.takeMutations();
  }

  /**
   * Decides on a signal. Never throws for the contents of the signal: a rule that cannot read it has failed.
   *
   * @param recorded - what each rule decided on the signal, where that is known: the state of the rules then follows the
   * record, and a rule that is not named made no decision. Effects are not resolved again.
   * @param sender - who sent the signal, see senders.ts; where that is not known, no share of a rule is counted
   */
  evaluate(signal: Signal, recorded?: ReadonlyMap<string, RecordedOutcome>, sender?: string): Evaluation {
    const nowMs = Date.parse(signal.received_at);
    // An answer was due before this signal came: it is too late. An answer in the last millisecond is in time.
    const outcomes = this.#expire(nowMs, Number.POSITIVE_INFINITY);
    const context = contextOf(signal, nowMs, sender);
    const work = new SignalWork();
    const quarantined: Quarantined[] = [];
    this.#applyAnswer(context, work, quarantined);
    this.#endFlights(context, work, quarantined);
    for (const compiled of this.#index.deciding(signal.signal)) {
      const known = recorded === undefined ? undefined : (recorded.get(compiled.rule.id) ?? "nothing");
      const outcome = evaluateRule(compiled, context, this.#state, work.budgetOf(compiled), known);
      if (outcome === undefined) continue;
      outcomes.push(outcome);
      if (outcome.cut === "work") quarantined.push(...this.#isolate(compiled, context, work));
      if (compiled.rule.final === true && outcome.outcome === "fired") break;
    }
    this.#steps += work.steps;
    return { outcomes, quarantined, mutations: this.#state.takeMutations() };
  }

  /** Applies mutations that an earlier evaluation led to, see {@link reevaluate}. */
  apply(mutations: readonly StateMutation[]): readonly StateMutation[] {
    for (const mutation of mutations) {
      // State of a rule that is gone would never be deleted.
      if (this.#rules.has(mutation.rule)) this.#state.apply(mutation);
    }
    if (mutations.some(({ kind }) => kind === "quarantine")) this.#reindex();
    return this.#state.takeMutations();
  }

  /** Puts marks of an older system into the state of a rule, see {@link holdBack}. */
  holdBack(rule: string, marks: readonly HeldMark[], by: string): HeldBack {
    return holdBack(this.#state, rule, marks, by);
  }

  /**
   * Evaluates one rule that failed on a signal again, as of the time of the signal. The decisions of the other rules, and
   * the expectations that the signal met, stand.
   *
   * @throws Error where the rule is gone, disabled, quarantined, or does not watch the signal
   */
  reevaluate(signal: Signal, rule: string): Evaluation {
    const { reason } = this.quarantine(rule) ?? {};
    if (reason !== undefined) throw new Error(`the rule ${rule} is quarantined (${reason}): edit the rule first`);
    const compiled = this.#index.deciding(signal.signal).find((one) => one.rule.id === rule);
    if (compiled === undefined) {
      throw new Error(
        `no enabled rule ${rule} decides on ${signal.signal}: enable the rule, or discard the dead letter`,
      );
    }
    const work = new SignalWork();
    const context = contextOf(signal, Date.parse(signal.received_at));
    const outcome = evaluateRule(compiled, context, this.#state, work.budgetOf(compiled));
    const quarantined = outcome?.cut === "work" ? this.#isolate(compiled, context, work) : [];
    return { outcomes: outcome === undefined ? [] : [outcome], quarantined, mutations: this.#state.takeMutations() };
  }

  /**
   * Lets time pass: signals that were expected before `nowMs` and did not come are too late. The caller guarantees that
   * every signal which the log received before `nowMs` has been evaluated; otherwise an answer could lie there unread.
   *
   * @param limit - time-outs in one evaluation; {@link nextDueMs} returns whether there are more
   */
  advanceClock(nowMs: number, limit = Number.POSITIVE_INFINITY): Evaluation {
    const outcomes = this.#expire(nowMs, limit);
    this.#steps += 1 + outcomes.length;
    return { outcomes, quarantined: [], mutations: this.#state.takeMutations() };
  }

  #expire(nowMs: number, limit: number): RuleOutcome[] {
    return this.#state.expire(nowMs, limit).flatMap(({ rule: id, key, body }): RuleOutcome[] => {
      const compiled = this.#rules.get(id);
      if (compiled === undefined) return [];
      const { rule } = compiled;
      const { since, dueMs } = body;
      const timeout = {
        rule,
        origin: since,
        atMs: dueMs,
        by: "time" as const,
        values: key === "" ? {} : { by: key },
      };
      const tooDeep = depthExceeded(since);
      if (tooDeep !== undefined) return [{ ...timeout, outcome: "failed", reason: tooDeep, effects: [], cut: "depth" }];
      const reason = `no ${rule.expect?.signal.join(", ")} within ${rule.expect?.within}`;
      return [{ ...timeout, outcome: "fired", reason, effects: body.else }];
    });
  }

  #applyAnswer(context: EvaluationContext, work: SignalWork, quarantined: Quarantined[]): void {
    const { signal, nowMs } = context;
    for (const compiled of this.#index.waiting(signal.signal)) {
      const { rule, expect } = compiled;
      if (expect === undefined) continue;
      const scope = scopeWith(context.scope, work.budgetOf(compiled));
      const key = tryKey(expect.answerBy ?? expect.by, scope, expect.where);
      if (key === EXCEEDED) quarantined.push(...this.#isolate(compiled, context, work));
      if (typeof key !== "string") continue;
      if (this.#state.get("expected", rule.id, key) !== undefined) {
        this.#state.delete("expected", rule.id, key);
      } else if (expect.lookbackMs !== undefined) {
        const body = { id: signal.id, atMs: nowMs, untilMs: nowMs + expect.lookbackMs + 1 };
        this.#state.set({ kind: "answer", rule: rule.id, key, body });
      }
    }
  }

  #endFlights(context: EvaluationContext, work: SignalWork, quarantined: Quarantined[]): void {
    for (const compiled of this.#index.inFlight(context.signal.signal)) {
      const { rule, inFlight } = compiled;
      if (inFlight?.untilBy === undefined) {
        this.#state.deleteAll("flight", rule.id);
      } else {
        const key = tryKey(inFlight.untilBy, scopeWith(context.scope, work.budgetOf(compiled)));
        if (key === EXCEEDED) quarantined.push(...this.#isolate(compiled, context, work));
        if (typeof key === "string") this.#state.delete("flight", rule.id, key);
      }
    }
  }

  /**
   * Ends the evaluation of a rule that took too many steps, from the next signal on. What it expects would be too late
   * only because nobody looks for it, so it is forgotten.
   */
  #isolate(exceeding: CompiledRule, { origin, nowMs }: EvaluationContext, work: SignalWork): Quarantined[] {
    const culprit = work.culprit(exceeding);
    if (culprit === undefined || this.quarantine(culprit.rule.id) !== undefined) return [];
    const { rule } = culprit;
    const steps = Math.min(work.budgetOf(culprit).spent, STEPS.rule);
    const reason =
      culprit === exceeding
        ? `its expressions take more than ${STEPS.rule} steps on the signal ${origin.id}`
        : `all rules together take more than ${STEPS.signal} steps on the signal ${origin.id}, and it took most: ${steps}`;
    const body = { by: origin.id, seq: origin.seq, atMs: nowMs, reason, untilMs: Number.MAX_SAFE_INTEGER };
    this.#state.set({ kind: "quarantine", rule: rule.id, key: "", body });
    this.#state.forget(rule.id, ["expected", "answer"]);
    this.#reindex();
    return [{ rule, origin, atMs: nowMs, reason }];
  }

  #reindex(): void {
    this.#index = new RuleIndex(this.#rules.values(), (rule) => this.quarantine(rule) !== undefined);
  }
}

const EXCEEDED = Symbol("more steps than allowed");

/** @returns `undefined` where the facts give no key: the signal then answers or ends nothing, and a time limit decides */
function tryKey(by: Expression | undefined, scope: Scope, where?: Expression): string | typeof EXCEEDED | undefined {
  try {
    if (where !== undefined && where(scope) !== true) return undefined;
    return keyOf(by, scope);
  } catch (error) {
    return error instanceof WorkExceeded ? EXCEEDED : undefined;
  }
}
