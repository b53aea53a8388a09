import { POLICY_SIGNALS } from "../../core/policy/default-subscription.ts";
import { PolicyEngine } from "../../core/policy/engine.ts";
import { watchedPatterns } from "../../core/policy/rule.ts";
import type { Evaluation, RuleOutcome } from "../../core/policy/rule-outcome.ts";
import type { Signal } from "../../core/signals/signal.ts";
import type { Decisions, SignalDecisions } from "../shell/decisions.ts";
import { RETRY_MS } from "../shell/outbox-relay.ts";
import type { ProjectedState, Projection } from "../shell/projection.ts";
import type { DecisionStore } from "./decision-store.ts";
import { carryOut } from "./effects.ts";
import type { Questions, SettledQuestion } from "./questions.ts";
import { isBefore, type ReplayOverrides } from "./replay-overrides.ts";
import type { RuleVersions } from "./rule-versions.ts";
import type { StateStore } from "./state-store.ts";

/** Time-outs in one transaction. */
const LATE_LIMIT = 500;
/** Part of a signal's dead letter that a time-out left behind: only the loop guard makes one fail. */
const LATE_PART = /^(.+)\.late(?:\.\d+)?$/;
const TOO_DEEP =
  "the chain of causes above it is too long, and a replay would only make it longer. Change the rules that form the " +
  "loop, and discard the dead letter";

/** Where the log stands: what it takes from now on stands after `head_seq` and was received at `now_ms` or later. */
export interface LogPlace {
  readonly head_seq: number;
  readonly now_ms: number;
}

/** Calls of the log. */
export interface PolicyLog {
  /** Says, durably, which patterns the projection is to be sent from now on. */
  interest(projection: "policy", patterns: readonly string[]): Promise<LogPlace>;
  reached(): Promise<LogPlace>;
}

export interface RuleProjectionOptions {
  readonly projection: Projection;
  readonly log: () => PolicyLog;
  readonly rules: RuleVersions;
  readonly state: StateStore;
  readonly overrides: ReplayOverrides;
  readonly decisions: DecisionStore;
  readonly questions: (settle: (settled: SettledQuestion) => void) => Questions;
  readonly ecosystem: string;
  readonly wakeBy: (atMs: number) => void;
}

/** The rules at work: takes signals in, lets time pass, and records what the rules decide. */
export class RuleProjection implements ProjectedState {
  readonly engine = new PolicyEngine([]);
  readonly #options: RuleProjectionOptions;
  readonly #questions: Questions;
  /** Time-outs that were due before this time have been decided on, whatever a rebuild derives again. */
  #advancedMs = 0;

  constructor(options: RuleProjectionOptions) {
    this.#options = options;
    this.#questions = options.questions((settled) => this.#settle(settled));
    this.load();
  }

  take(signal: Signal, decisions: SignalDecisions): void {
    this.#stepRules(signal.seq);
    this.#follow(this.engine.take(signal), decisions);
  }

  /** Only the rule that failed decides again: the others have done so. */
  reprocessPart(signal: Signal, part: string | null, decisions: SignalDecisions): void {
    if (part === null) return this.take(signal, decisions);
    const late = LATE_PART.exec(part)?.[1];
    if (late !== undefined) throw new Error(`the time-out of ${late} was cut off: ${TOO_DEEP}`);
    // The log has been taken in as far as ever: changes of rules behind its last signal count by now.
    this.#stepRules(Number.POSITIVE_INFINITY);
    const evaluation = this.engine.judgeAgain(signal, part);
    this.#follow(evaluation, decisions);
    this.#options.overrides.add({ seq: this.#options.projection.cursor, atMs: Date.now() }, evaluation.changes);
  }

  store(): void {
    this.#options.decisions.tidy();
  }

  clear(): void {
    this.#options.state.clear();
  }

  load(): void {
    const { state, overrides } = this.#options;
    this.#advancedMs = Number(state.note("advanced_ms") ?? "0");
    this.reloadRules();
    overrides.rewind(this.#rebuiltThrough);
    this.engine.replace(this.#options.rules.inForce);
    this.engine.restore(state.rows());
    this.#questions.load();
  }

  patterns(): readonly string[] {
    return watchedPatterns(this.#options.rules.coming);
  }

  async settled(nowMs: number): Promise<void> {
    const { state, ecosystem, wakeBy } = this.#options;
    try {
      const { nextDueMs } = this.engine;
      if (nextDueMs !== undefined && nextDueMs <= nowMs) await this.#letTimePass();
      // A change that was interrupted, or that took a rule away, leaves the log with another subscription than ours.
      const known = state.note("interests") ?? JSON.stringify(POLICY_SIGNALS);
      if (known !== JSON.stringify(this.#subscription())) await this.subscribe(this.#subscription());
    } catch (error) {
      console.warn("policy: could not settle and will try again", ecosystem, String(error));
      wakeBy(Date.now() + RETRY_MS);
    }
    const { nextDueMs } = this.engine;
    // By our own clock; the log's decides, and may be a little behind.
    if (nextDueMs !== undefined) wakeBy(Math.max(nextDueMs, Date.now() + 5));
    this.#questions.proceed(Date.now());
    const { nextDeadlineMs } = this.#questions;
    if (nextDeadlineMs !== undefined) wakeBy(Math.max(nextDeadlineMs, Date.now() + 5));
  }

  /** Takes the log's word on what has come in, and decides on what is late by then: up to there the rules stay. */
  async takeInUpTo({ head_seq, now_ms }: LogPlace): Promise<void> {
    await this.#options.projection.readThrough(head_seq);
    this.#decideLate(now_ms);
  }

  /** Tells the log what to send. @returns where the log stands: every signal after that is sent if it fits */
  async subscribe(patterns: readonly string[]): Promise<LogPlace> {
    const place = await this.#options.log().interest("policy", patterns);
    const text = JSON.stringify(patterns);
    if (this.#options.state.note("interests") !== text) this.#options.state.setNote("interests", text);
    return place;
  }

  /** Reads the rules back, as of the place that a rebuild has come to. */
  reloadRules(): void {
    const { rules } = this.#options;
    rules.reload();
    const rebuilt = this.#rebuiltThrough;
    if (rebuilt !== undefined) rules.rewind(rebuilt);
  }

  /** Puts the rules in force to work. Belongs into a transaction. */
  replaceRules(): void {
    this.#options.state.write(this.engine.replace(this.#options.rules.inForce));
  }

  /** How far a rebuild has come; `undefined` while there is none. */
  get #rebuiltThrough(): number | undefined {
    const { cursor, mutedThrough } = this.#options.projection;
    return cursor < mutedThrough ? cursor : undefined;
  }

  #follow({ verdicts: outcomes, changes }: Evaluation, decisions: SignalDecisions): void {
    this.#options.state.write(changes);
    for (const outcome of outcomes) {
      // A decision is recorded once: what is derived again from the log was decided before.
      if (decisions.replaying || (outcome.by === "time" && outcome.atMs < this.#advancedMs)) continue;
      if (outcome.outcome === "failed" && outcome.quiet !== true) {
        const { rule, origin, reason, by, cut } = outcome;
        if (by === "time") decisions.deadLetter(lateDeadLetter(outcome));
        else
          decisions.deadLetterPart(`${rule.id}: ${reason}`, rule.id, cut === undefined ? {} : { lineageOf: origin.id });
      }
      const id = this.#options.decisions.add(outcome, carryOut(outcome, decisions));
      this.#questions.open(id, outcome, Date.now());
    }
  }

  /** Carries out what a question came to, once: its row goes with the effects. */
  #settle(settled: SettledQuestion): void {
    const { open, effects } = settled;
    this.#options.projection.decide((decisions) => {
      this.#questions.close(open.question.id);
      const outcome = {
        rule: { id: open.rule },
        origin: open.origin,
        atMs: Date.now(),
        by: "answer" as const,
        effects,
      };
      this.#options.decisions.answer(settled, carryOut(outcome, decisions));
    });
  }

  /** While the log is read again: the rules change where they did then, and at the time at which they did. */
  #stepRules(seq: number): void {
    const { rules, overrides, state } = this.#options;
    for (;;) {
      const place = rules.nextBefore(seq);
      const override = overrides.nextBefore(seq);
      if (override !== undefined && (place === undefined || isBefore(override.place, place))) {
        // What a replay changed then, whatever the rules of now would make of it.
        state.write(this.engine.apply(override.changes));
        overrides.step();
        continue;
      }
      if (place === undefined) return;
      // What was late by then was decided on then, by the rules of then.
      state.write(this.engine.advance(place.atMs).changes);
      rules.step(place);
      this.replaceRules();
    }
  }

  /** What the log is to send. Sorted, so that the same rules give the same subscription. */
  #subscription(): readonly string[] {
    return watchedPatterns([...this.#options.rules.current.values()]);
  }

  /** Decides on what did not come in time. First everything that the log took until then is taken in: an answer that
   * lies there unread is an answer. */
  async #letTimePass(): Promise<void> {
    await this.takeInUpTo(await this.#options.log().reached());
  }

  #decideLate(nowMs: number): void {
    const { rules, overrides, projection } = this.#options;
    const ahead = rules.nextBefore(Number.POSITIVE_INFINITY) ?? overrides.nextBefore(Number.POSITIVE_INFINITY);
    if (ahead !== undefined) projection.decide(() => this.#stepRules(Number.POSITIVE_INFINITY));
    for (let due = this.engine.nextDueMs; due !== undefined && due <= nowMs; due = this.engine.nextDueMs) {
      projection.decide((decisions) => this.#followLate(this.engine.advance(nowMs, LATE_LIMIT), decisions));
    }
  }

  #followLate({ verdicts: outcomes, changes }: Evaluation, decisions: Decisions): void {
    const { state } = this.#options;
    state.write(changes);
    for (const outcome of outcomes) {
      // Derived again by a rebuild: it was decided on then.
      if (outcome.atMs < this.#advancedMs) continue;
      if (outcome.outcome === "failed") decisions.deadLetter(lateDeadLetter(outcome));
      this.#options.decisions.add(outcome, carryOut(outcome, decisions));
    }
    const last = outcomes.at(-1);
    if (last === undefined) return;
    this.#advancedMs = Math.max(this.#advancedMs, last.atMs + 1);
    state.setNote("advanced_ms", String(this.#advancedMs));
  }
}

function lateDeadLetter({ rule, origin, reason = "", cut }: RuleOutcome) {
  return {
    id: `policy.${origin.seq}.${rule.id}.late`,
    kind: "signal" as const,
    signal: origin,
    error: `${rule.id}: ${reason}`,
    ...(cut === undefined ? {} : { lineage: [origin.id] }),
  };
}
