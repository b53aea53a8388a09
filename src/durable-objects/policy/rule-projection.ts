import { POLICY_SIGNALS } from "../../core/policy/default-subscription.ts";
import { PolicyEngine } from "../../core/policy/engine.ts";
import { watchedPatterns } from "../../core/policy/rule.ts";
import type { Evaluation, RuleOutcome } from "../../core/policy/rule-outcome.ts";
import type { SettledRuleQuestion } from "../../core/policy/rule-question.ts";
import { ExcessLedger } from "../../core/quotas/excess-ledger.ts";
import type { Signal } from "../../core/signals/signal.ts";
import type { Decisions, SignalDecisions } from "../shell/decisions.ts";
import type { PendingEffect } from "../shell/effect-outbox.ts";
import type { ObjectHeap } from "../shell/isolate-heap.ts";
import { logLine } from "../shell/log-line.ts";
import { RETRY_MS } from "../shell/outbox-relay.ts";
import type { ProjectedState } from "../shell/projected-state.ts";
import type { Projection } from "../shell/projection.ts";
import { readableOr } from "../shell/readable-rows.ts";
import type { DecisionStore } from "./decision-store.ts";
import { type DecidedEffects, emitQuarantine, enqueueEffects } from "./effects.ts";
import type { Questions } from "./questions.ts";
import { isBefore, type ReplayOverrides } from "./replay-overrides.ts";
import type { RuleVersions } from "./rule-versions.ts";
import type { StateStore } from "./state-store.ts";

/** Time-outs that are decided in one transaction. */
const MAX_TIMEOUTS = 500;
/** Part of the dead letter of a time-out: a time-out fails only when the loop guard cuts it off. */
const TIMEOUT_PART = /^(.+)\.late(?:\.\d+)?$/;
const TOO_DEEP =
  "its chain of causes is too long, and a replay would make the chain longer. Change the rules that form the loop, and " +
  "discard the dead letter";

/** Position of the log: later signals come after `head_seq` and are received at `now_ms` or later. */
export interface LogPlace {
  readonly head_seq: number;
  readonly now_ms: number;
}

/** Calls of the log. */
export interface PolicyLog {
  /** Subscribes the projection, durably, to these patterns. */
  subscribeProjection(projection: "policy", patterns: readonly string[]): Promise<LogPlace>;
  reached(): Promise<LogPlace>;
}

export interface RuleProjectionOptions {
  readonly projection: Projection;
  readonly log: () => PolicyLog;
  readonly rules: RuleVersions;
  readonly state: StateStore;
  readonly overrides: ReplayOverrides;
  readonly decisions: DecisionStore;
  readonly questions: (settle: (settled: SettledRuleQuestion) => void) => Questions;
  readonly ecosystem: string;
  readonly wakeBy: (atMs: number) => void;
  readonly heap: ObjectHeap;
}

/** Applies the rules to the signals of the log and to time that passes, and records their decisions. */
export class RuleProjection implements ProjectedState {
  readonly engine: PolicyEngine;
  /** Who has used up a share of a rule, lately. */
  readonly excess = new ExcessLedger();
  readonly #options: RuleProjectionOptions;
  readonly #questions: Questions;
  /** Time-outs that were due before this time have been recorded; a rebuild derives them again without recording them. */
  #advancedMs = 0;

  constructor(options: RuleProjectionOptions) {
    this.#options = options;
    const account = options.heap.account("rule_state", () => this.engine.stateBytes);
    this.engine = new PolicyEngine([], { maxBytes: account.limitBytes, gaveWay: () => account.refused() });
    this.#questions = options.questions((settled) => this.#settle(settled));
    this.load();
  }

  take(signal: Signal, decisions: SignalDecisions, sender: string): void {
    this.#stepRules(signal.seq);
    this.#record(this.engine.evaluate(signal, undefined, sender), decisions);
  }

  /** Evaluates again only the rule that failed: the decisions of the others stand. */
  reprocessPart(signal: Signal, part: string | null, decisions: SignalDecisions, sender: string): void {
    if (part === null) return this.take(signal, decisions, sender);
    const rule = TIMEOUT_PART.exec(part)?.[1];
    if (rule !== undefined) throw new Error(`the time-out of ${rule} was cut off: ${TOO_DEEP}`);
    // No signal is waiting, so changes of rules after the last signal are in force.
    this.#stepRules(Number.POSITIVE_INFINITY);
    const evaluation = this.engine.reevaluate(signal, part);
    this.#record(evaluation, decisions);
    this.#options.overrides.add({ seq: this.#options.projection.cursor, atMs: Date.now() }, evaluation.mutations);
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
    this.excess.restore(readableOr<unknown>("excess", state.note("excess"), JSON.parse, []));
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
      if (nextDueMs !== undefined && nextDueMs <= nowMs) await this.#advanceClock();
      // After an interrupted change, or a deleted rule, the log has another subscription than the rules need.
      const known = state.note("interests") ?? JSON.stringify(POLICY_SIGNALS);
      if (known !== JSON.stringify(this.#subscription())) await this.subscribe(this.#subscription());
    } catch (error) {
      logLine("warn", "policy-not-settled", { ecosystem, object: "policy", error });
      wakeBy(Date.now() + RETRY_MS);
    }
    const { nextDueMs } = this.engine;
    // This is the object's clock. The log's clock decides, and may be a little behind.
    if (nextDueMs !== undefined) wakeBy(Math.max(nextDueMs, Date.now() + 5));
    this.#questions.proceed(Date.now());
    const { nextDeadlineMs } = this.#questions;
    if (nextDeadlineMs !== undefined) wakeBy(Math.max(nextDeadlineMs, Date.now() + 5));
  }

  /** Processes the log up to this position and decides the time-outs that are due by then, with the rules of now. */
  async takeInUpTo({ head_seq, now_ms }: LogPlace): Promise<void> {
    await this.#options.projection.readThrough(head_seq);
    this.#decideTimeouts(now_ms);
  }

  /** Subscribes to the log. @returns the position of the log, after which the subscription is complete */
  async subscribe(patterns: readonly string[]): Promise<LogPlace> {
    const place = await this.#options.log().subscribeProjection("policy", patterns);
    const text = JSON.stringify(patterns);
    if (this.#options.state.note("interests") !== text) this.#options.state.setNote("interests", text);
    return place;
  }

  /** Reloads the rules; during a rebuild those of the position that it has reached. */
  reloadRules(): void {
    const { rules } = this.#options;
    rules.reload();
    const rebuilt = this.#rebuiltThrough;
    if (rebuilt !== undefined) rules.rewind(rebuilt);
  }

  /** Gives the rules in force to the engine. Call it in a transaction. */
  replaceRules(): void {
    this.#options.state.write(this.engine.replace(this.#options.rules.inForce));
  }

  undelivered(delivery: string, reason: string, unheard?: string): void {
    this.#options.decisions.undelivered(delivery, reason);
    if (unheard !== undefined) this.#options.state.countUnheard(unheard);
  }

  refused({ seq, id, effect }: PendingEffect, reason: string): void {
    const known = effect.kind === "enqueue" ? (effect.taskId ?? id) : id;
    if (seq !== undefined) this.#options.decisions.refused(seq, known, reason);
  }

  renamed({ seq, id }: PendingEffect, after: string): void {
    if (seq !== undefined) this.#options.decisions.renamed(seq, id, after);
  }

  /** Position that a rebuild has reached; `undefined`: no rebuild is running. */
  get #rebuiltThrough(): number | undefined {
    const { cursor, mutedThrough } = this.#options.projection;
    return cursor < mutedThrough ? cursor : undefined;
  }

  #record({ outcomes, quarantined, mutations }: Evaluation, decisions: SignalDecisions): void {
    this.#options.state.write(mutations);
    for (const one of quarantined) if (!decisions.replaying) emitQuarantine(one, decisions);
    for (const outcome of outcomes) {
      // A decision is recorded once: a replay of the log derives state only.
      if (decisions.replaying || (outcome.by === "time" && outcome.atMs < this.#advancedMs)) continue;
      if (outcome.outcome === "failed" && outcome.quiet !== true) {
        const { rule, origin, reason, by, cut } = outcome;
        if (by === "time") decisions.deadLetter(timeoutDeadLetter(outcome));
        else decisions.deadLetterPart(`${rule.id}: ${reason}`, rule.id, isLoop(cut) ? { lineageOf: origin.id } : {});
      }
      this.#noteExcess(outcome);
      const id = this.#options.decisions.add(outcome, this.#enqueue(outcome, decisions));
      this.#questions.open(id, outcome, Date.now());
    }
  }

  #enqueue(outcome: DecidedEffects, decisions: Pick<Decisions, "emit" | "enqueueEffect">): string[] {
    const author = this.#options.rules.current.get(outcome.rule.id)?.changed_by_id;
    return enqueueEffects(outcome, decisions, author);
  }

  #noteExcess({ rule, spent }: RuleOutcome): void {
    if (spent === undefined) return;
    const nowMs = Date.now();
    const setting = `share of the rule ${rule.id}: PUT /v1/{ecosystem}/policies/${rule.id}`;
    this.excess.note({ quota: `firings of ${rule.id}`, limit: spent.limit, setting }, spent.party, nowMs);
    const stored = this.excess.toStore(nowMs);
    if (stored !== undefined) this.#options.state.setNote("excess", JSON.stringify(stored));
  }

  /** Enqueues the effects of a settled question, once: the transaction deletes the row of the question. */
  #settle(settled: SettledRuleQuestion): void {
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
      this.#options.decisions.answer(settled, this.#enqueue(outcome, decisions));
    });
  }

  /** During a rebuild: applies the recorded changes of rules, and of their state, that come before a signal. */
  #stepRules(seq: number): void {
    const { rules, overrides, state } = this.#options;
    for (;;) {
      const place = rules.nextBefore(seq);
      const override = overrides.nextBefore(seq);
      if (override !== undefined && (place === undefined || isBefore(override.place, place))) {
        // State that the replay of a dead letter changed then, whatever the rules of now would decide.
        state.write(this.engine.apply(override.mutations));
        overrides.step();
        continue;
      }
      if (place === undefined) return;
      // Time-outs that were due before the change were decided by the rules before it.
      state.write(this.engine.advanceClock(place.atMs).mutations);
      rules.step(place);
      this.replaceRules();
    }
  }

  /** The patterns that the rules need, sorted, so that the same rules give the same subscription. */
  #subscription(): readonly string[] {
    return watchedPatterns([...this.#options.rules.current.values()]);
  }

  /**
   * Decides the time-outs that are due. First all signals that the log has received are processed: an answer that lies
   * there unread is in time.
   */
  async #advanceClock(): Promise<void> {
    await this.takeInUpTo(await this.#options.log().reached());
  }

  #decideTimeouts(nowMs: number): void {
    const { rules, overrides, projection } = this.#options;
    const ahead = rules.nextBefore(Number.POSITIVE_INFINITY) ?? overrides.nextBefore(Number.POSITIVE_INFINITY);
    if (ahead !== undefined) projection.decide(() => this.#stepRules(Number.POSITIVE_INFINITY));
    for (let due = this.engine.nextDueMs; due !== undefined && due <= nowMs; due = this.engine.nextDueMs) {
      projection.decide((decisions) => this.#recordTimeouts(this.engine.advanceClock(nowMs, MAX_TIMEOUTS), decisions));
    }
  }

  #recordTimeouts({ outcomes, mutations }: Evaluation, decisions: Decisions): void {
    const { state } = this.#options;
    state.write(mutations);
    for (const outcome of outcomes) {
      // A rebuild derives this time-out again; it was recorded then.
      if (outcome.atMs < this.#advancedMs) continue;
      if (outcome.outcome === "failed") decisions.deadLetter(timeoutDeadLetter(outcome));
      this.#options.decisions.add(outcome, this.#enqueue(outcome, decisions));
    }
    const last = outcomes.at(-1);
    if (last === undefined) return;
    this.#advancedMs = Math.max(this.#advancedMs, last.atMs + 1);
    state.setNote("advanced_ms", String(this.#advancedMs));
  }
}

const isLoop = (cut: RuleOutcome["cut"]) => cut === "depth" || cut === "hops" || cut === "rate";

function timeoutDeadLetter({ rule, origin, reason = "", cut }: RuleOutcome) {
  return {
    id: `policy.${origin.seq}.${rule.id}.late`,
    kind: "signal" as const,
    signal: origin,
    error: `${rule.id}: ${reason}`,
    ...(isLoop(cut) ? { lineage: [origin.id] } : {}),
  };
}
