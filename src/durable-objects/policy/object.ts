import type { ChangeAnswer, ExpectationPage, Policy, PolicyVersion, RuleChange } from "../../core/policy/api.ts";
import type { Decision, DecisionsPage, DecisionsQuery } from "../../core/policy/decision.ts";
import { POLICY_SIGNALS } from "../../core/policy/default-subscription.ts";
import { PolicyEngine } from "../../core/policy/engine.ts";
import { listExpectations } from "../../core/policy/list-expectations.ts";
import { bodyOf, type PlannedChange } from "../../core/policy/plan-changes.ts";
import { watchedPatterns } from "../../core/policy/rule.ts";
import type { Evaluation, RuleOutcome } from "../../core/policy/rule-outcome.ts";
import type { Signal } from "../../core/signals/signal.ts";
import type { Environment } from "../../workers/environment.ts";
import type { Author } from "../introspection/changes.ts";
import { type Deciding, type Outgoing, Projection } from "../shell/projection.ts";
import { DecisionStore } from "./decision-store.ts";
import { carryOut, SOURCE } from "./effects.ts";
import { Questions, type SettledQuestion } from "./questions.ts";
import { isBefore, ReplayOverrides } from "./replay-overrides.ts";
import { type Place, RuleVersions } from "./rule-versions.ts";
import { StateStore } from "./state-store.ts";

const RETRY_MS = 2_000;
/** Time-outs in one transaction. */
const LATE_LIMIT = 500;
const VERSIONS_SHOWN = 100;
/** Part of a signal's dead letter that a time-out left behind: only the loop guard makes one fail. */
const LATE_PART = /^(.+)\.late(?:\.\d+)?$/;
const TOO_DEEP =
  "the chain of causes above it is too long, and a replay would only make it longer. Mend the rules that go round, " +
  "and discard the letter";

/** The rules of an ecosystem, what they keep and wait for, and what they have decided (R23, R24). */
export class PolicyState extends Projection {
  readonly #engine = new PolicyEngine([]);
  readonly #rules: RuleVersions;
  readonly #state: StateStore;
  readonly #redone: ReplayOverrides;
  readonly #decisions: DecisionStore;
  readonly #questions: Questions;
  /** What was due before this time has been told of, whatever is derived from the log again. */
  #advancedMs = 0;

  constructor(ctx: DurableObjectState, env: Environment) {
    super(ctx, env, "policy");
    this.#rules = new RuleVersions(this.sql);
    this.#state = new StateStore(this.sql);
    this.#redone = new ReplayOverrides(this.sql);
    this.#decisions = new DecisionStore(this.sql);
    this.#questions = new Questions(this.sql, {
      ask: (question) => env.MODELS.get(env.MODELS.idFromName(this.ecosystem)).ask(question),
      settle: (settled) => this.#settle(settled),
    });
    this.load();
    const pack = this.#rules.planPack();
    // The log knows without being told what the pack wants to see. It counts for what comes after here.
    if (pack.length > 0) this.#write(pack, { seq: this.cursor, atMs: 0, changedMs: 0 }, null);
  }

  decisions(query: DecisionsQuery): DecisionsPage {
    return this.#decisions.list(query);
  }

  /** Decisions on the signals at these places in the log. */
  decisionsOn(seqs: readonly number[], limit: number): Decision[] {
    return this.#decisions.on(seqs, limit);
  }

  policies(): readonly Policy[] {
    return [...this.#rules.current.values()].sort((a, b) => (a.id < b.id ? -1 : 1));
  }

  policy(id: string): { policy: Policy | null; versions: PolicyVersion[] } {
    return { policy: this.#rules.current.get(id) ?? null, versions: this.#rules.versions(id, VERSIONS_SHOWN) };
  }

  /** The next to be late first. */
  expectations(query: { limit: number; after?: string; rule?: string }): ExpectationPage {
    return listExpectations(this.#engine, query);
  }

  /** Changes one rule, or several together: all of them or none. */
  changePolicies(wanted: readonly RuleChange[], by: Author): Promise<ChangeAnswer> {
    return this.inTurn(() => this.#change(wanted, by));
  }

  /** Makes the rules be these: those that are not named go, and those of the pack are as they came. */
  replacePolicies(wanted: readonly RuleChange[], by: Author): Promise<ChangeAnswer> {
    return this.inTurn(() => {
      const named = new Set(wanted.map(({ id }) => id));
      const others = this.policies().filter(({ id, built_in, modified }) => !named.has(id) && (!built_in || modified));
      return this.#change([...others.map(({ id }) => ({ id, rule: null })), ...wanted], by);
    });
  }

  /** Deletes a rule; one of the pack that was changed is as it came again. */
  deletePolicy(id: string, expected: number | undefined, by: Author): Promise<ChangeAnswer> {
    return this.inTurn(async () => {
      const policy = this.#rules.current.get(id);
      if (policy === undefined) return { ok: false, kept: "unknown" };
      if (policy.built_in && !policy.modified) return { ok: false, kept: "built_in" };
      return this.#change([{ id, rule: null, expected }], by);
    });
  }

  /** @returns `null`: there is no such rule */
  enablePolicy(id: string, enabled: boolean, by: Author): Promise<ChangeAnswer | null> {
    return this.inTurn(async () => {
      const policy = this.#rules.current.get(id);
      if (policy === undefined) return null;
      return this.#change([{ id, rule: { ...bodyOf(policy), enabled } }], by);
    });
  }

  protected override take(signal: Signal, outgoing: Outgoing): void {
    this.#stepRules(signal.seq);
    this.#follow(this.#engine.take(signal), outgoing);
  }

  /** Only the rule that failed decides again: the others have done so. */
  protected override retakePart(signal: Signal, part: string | null, outgoing: Outgoing): void {
    if (part === null) return this.take(signal, outgoing);
    const late = LATE_PART.exec(part)?.[1];
    if (late !== undefined) throw new Error(`the time-out of ${late} was cut off: ${TOO_DEEP}`);
    // The log has been taken in as far as ever: what changed behind its last signal counts by now.
    this.#stepRules(Number.POSITIVE_INFINITY);
    const evaluation = this.#engine.judgeAgain(signal, part);
    this.#follow(evaluation, outgoing);
    this.#redone.add({ seq: this.cursor, atMs: Date.now() }, evaluation.changes);
  }

  #follow({ verdicts, changes }: Evaluation, outgoing: Outgoing): void {
    this.#state.write(changes);
    for (const verdict of verdicts) {
      // A decision is recorded once: what is derived again from the log was decided before.
      if (outgoing.again || (verdict.by === "time" && verdict.atMs < this.#advancedMs)) continue;
      if (verdict.outcome === "failed" && verdict.quiet !== true) {
        const { rule, origin, reason, by, cut } = verdict;
        if (by === "time") outgoing.keep(letterOf(verdict));
        else outgoing.bury(`${rule.id}: ${reason}`, rule.id, cut === undefined ? {} : { lineageOf: origin.id });
      }
      this.#questions.open(this.#decisions.add(verdict, carryOut(verdict, outgoing)), verdict, Date.now());
    }
  }

  protected override store(): void {
    this.#decisions.tidy();
  }

  protected override clear(): void {
    this.#state.clear();
  }

  protected override load(): void {
    this.#advancedMs = Number(this.#state.note("advanced_ms") ?? "0");
    this.#rules.reload();
    this.#redone.rewind(this.cursor < this.mutedThrough ? this.cursor : undefined);
    if (this.cursor < this.mutedThrough) this.#rules.rewind(this.cursor);
    this.#engine.replace(this.#rules.inForce);
    this.#engine.restore(this.#state.rows());
    this.#questions.load();
  }

  protected override patterns(): readonly string[] {
    return watchedPatterns(this.#rules.coming);
  }

  protected override async settled(nowMs: number): Promise<void> {
    try {
      const { nextDueMs } = this.#engine;
      if (nextDueMs !== undefined && nextDueMs <= nowMs) await this.#letTimePass();
      // A change that was interrupted, or that took a rule away, leaves the log with other wishes than ours.
      const known = this.#state.note("interests") ?? JSON.stringify(POLICY_SIGNALS);
      if (known !== JSON.stringify(this.#wishes())) await this.#ask(this.#wishes());
    } catch (error) {
      console.warn("policy: could not settle and will try again", this.ecosystem, String(error));
      this.wakeBy(Date.now() + RETRY_MS);
    }
    const { nextDueMs } = this.#engine;
    // By our own clock; the log's decides, and may be a little behind.
    if (nextDueMs !== undefined) this.wakeBy(Math.max(nextDueMs, Date.now() + 5));
    this.#questions.proceed(Date.now());
    const { nextDeadlineMs } = this.#questions;
    if (nextDeadlineMs !== undefined) this.wakeBy(Math.max(nextDeadlineMs, Date.now() + 5));
  }

  /** Carries out what a question came to, once: its row goes with the effects. */
  #settle(settled: SettledQuestion): void {
    const { open, effects } = settled;
    this.decide((outgoing) => {
      this.#questions.close(open.question.id);
      const doing = { rule: { id: open.rule }, origin: open.origin, atMs: Date.now(), by: "answer" as const, effects };
      this.#decisions.answer(settled, carryOut(doing, outgoing));
    });
  }

  /**
   * New rules are in force from a definite place on. The log first learns what they want to see and says how far it
   * has come; up to there the old rules decide, on every signal and by every time-out; then the new ones are written.
   * A crash in between leaves a log that sends more than is wanted, and the old rules.
   */
  async #change(wanted: readonly RuleChange[], by: Author): Promise<ChangeAnswer> {
    const plan = this.#rules.plan(wanted);
    if (!plan.ok) return plan;
    const { changes, unchanged } = plan;
    const ids = (kind: (change: PlannedChange) => boolean) => changes.filter(kind).map(({ id }) => id);
    const isNew = ({ id }: PlannedChange) => !this.#rules.current.has(id);
    const answer = {
      ok: true as const,
      created: ids((change) => change.rule !== null && isNew(change)),
      changed: ids((change) => change.rule !== null && !isNew(change)),
      deleted: ids((change) => change.rule === null),
      unchanged,
    };
    if (changes.length === 0) return { ...answer, after_seq: this.cursor };
    const coming = changes.flatMap(({ rule }) => (rule === null ? [] : [{ ...rule, version: 1 }]));
    const { head_seq, now_ms } = await this.#ask(watchedPatterns([...this.#rules.current.values(), ...coming]));
    await this.readThrough(head_seq);
    this.#tellLate(now_ms);
    const place = { seq: this.cursor, atMs: now_ms, changedMs: 0 };
    this.#write(changes, place, by);
    await this.settled(Date.now());
    return { ...answer, after_seq: place.seq };
  }

  #write(changes: readonly PlannedChange[], place: Place, by: Author | null): void {
    this.decide((outgoing) => {
      const nowMs = Date.now();
      for (const { id, version, rule } of this.#rules.write(changes, place, by?.name ?? null, nowMs)) {
        if (by === null) continue;
        const facts = { policy: id, version, deleted: rule === null, enabled: rule?.enabled ?? false };
        const who = { by: by.name, by_id: by.id };
        outgoing.emit({ signal: "Q_POLICY_CHANGED", source: SOURCE, facts: { ...facts, ...who }, timestampMs: nowMs });
      }
      this.#rules.reload();
      if (this.cursor < this.mutedThrough) this.#rules.rewind(this.cursor);
      this.#state.write(this.#engine.replace(this.#rules.inForce));
    });
  }

  /** While the log is read again: the rules change where they did then, and at the time at which they did. */
  #stepRules(seq: number): void {
    for (;;) {
      const place = this.#rules.nextBefore(seq);
      const redone = this.#redone.nextBefore(seq);
      if (redone !== undefined && (place === undefined || isBefore(redone.place, place))) {
        // What a replay changed then, whatever the rules of now would make of it.
        this.#state.write(this.#engine.apply(redone.changes));
        this.#redone.step();
        continue;
      }
      if (place === undefined) return;
      // What was late by then was told of then, by the rules of then.
      this.#state.write(this.#engine.advance(place.atMs).changes);
      this.#rules.step(place);
      this.#state.write(this.#engine.replace(this.#rules.inForce));
    }
  }

  /** What the log is to send. Sorted, so that the same rules give the same wishes. */
  #wishes(): readonly string[] {
    return watchedPatterns([...this.#rules.current.values()]);
  }

  async #ask(patterns: readonly string[]): Promise<{ head_seq: number; now_ms: number }> {
    const place = await this.#log.interest("policy", patterns);
    const text = JSON.stringify(patterns);
    if (this.#state.note("interests") !== text) this.#state.setNote("interests", text);
    return place;
  }

  /**
   * Tells what did not come in time. First everything that the log took until then is taken in: an answer that lies
   * there unread is an answer.
   */
  async #letTimePass(): Promise<void> {
    const { head_seq, now_ms } = await this.#log.reached();
    await this.readThrough(head_seq);
    this.#tellLate(now_ms);
  }

  #tellLate(nowMs: number): void {
    const ahead = this.#rules.nextBefore(Number.POSITIVE_INFINITY) ?? this.#redone.nextBefore(Number.POSITIVE_INFINITY);
    if (ahead !== undefined) {
      this.decide(() => this.#stepRules(Number.POSITIVE_INFINITY));
    }
    for (let due = this.#engine.nextDueMs; due !== undefined && due <= nowMs; due = this.#engine.nextDueMs) {
      this.decide((outgoing) => this.#pass(this.#engine.advance(nowMs, LATE_LIMIT), outgoing));
    }
  }

  #pass({ verdicts, changes }: Evaluation, outgoing: Deciding): void {
    this.#state.write(changes);
    for (const verdict of verdicts) {
      // Derived again after a rebuild: it was told then.
      if (verdict.atMs < this.#advancedMs) continue;
      if (verdict.outcome === "failed") outgoing.keep(letterOf(verdict));
      this.#decisions.add(verdict, carryOut(verdict, outgoing));
    }
    const last = verdicts.at(-1);
    if (last === undefined) return;
    this.#advancedMs = Math.max(this.#advancedMs, last.atMs + 1);
    this.#state.setNote("advanced_ms", String(this.#advancedMs));
  }

  get #log() {
    return this.env.SIGNAL_LOG.get(this.env.SIGNAL_LOG.idFromName(this.ecosystem));
  }
}

function letterOf({ rule, origin, reason = "", cut }: RuleOutcome) {
  return {
    id: `policy.${origin.seq}.${rule.id}.late`,
    kind: "signal" as const,
    signal: origin,
    error: `${rule.id}: ${reason}`,
    ...(cut === undefined ? {} : { lineage: [origin.id] }),
  };
}
