import { BUILT_IN_RULES } from "../core/policy/built-in-rules.ts";
import type { Decision } from "../core/policy/decision.ts";
import { PolicyEngine } from "../core/policy/engine.ts";
import type { Rule } from "../core/policy/rule.ts";
import type { Evaluation, Verdict } from "../core/policy/verdict.ts";
import type { Signal } from "../core/signals/signal.ts";
import type { Environment } from "./environment.ts";
import { DecisionStore, type DecisionsQuery } from "./policy-state/decision-store.ts";
import { carryOut } from "./policy-state/effects.ts";
import { StateStore } from "./policy-state/state-store.ts";
import { type Deciding, type Outgoing, Projection } from "./projection/projection.ts";

const RETRY_MS = 2_000;
/** Time-outs in one transaction. */
const LATE_LIMIT = 500;

/** The rules of an ecosystem, what they keep and wait for, and what they have decided (R23, R24). */
export class PolicyState extends Projection {
  readonly #engine = new PolicyEngine(BUILT_IN_RULES);
  readonly #state: StateStore;
  readonly #decisions: DecisionStore;
  /** What was due before this time has been told of, whatever is derived from the log again. */
  #advancedMs = 0;

  constructor(ctx: DurableObjectState, env: Environment) {
    super(ctx, env, "policy");
    this.#state = new StateStore(this.sql);
    this.#decisions = new DecisionStore(this.sql);
    this.load();
  }

  /** Newest first. */
  decisions(query: DecisionsQuery): { decisions: Decision[]; next: string | null } {
    return this.#decisions.list(query);
  }

  policies(): readonly Rule[] {
    return this.#engine.rules;
  }

  protected override take(signal: Signal, outgoing: Outgoing): void {
    this.#follow(this.#engine.take(signal), signal, outgoing);
  }

  /** Only the rule that failed decides again: the others have done so. */
  protected override retakePart(signal: Signal, part: string | null, outgoing: Outgoing): void {
    if (part === null) return this.take(signal, outgoing);
    this.#follow(this.#engine.judgeAgain(signal, part), signal, outgoing);
  }

  #follow({ verdicts, changes }: Evaluation, signal: Signal, outgoing: Outgoing): void {
    this.#state.write(changes);
    for (const verdict of verdicts) {
      // A decision is recorded once: what is derived again from the log was decided before.
      const again = this.replaying(signal.seq) || (verdict.by === "time" && verdict.atMs < this.#advancedMs);
      if (again) continue;
      if (verdict.outcome === "failed" && verdict.quiet !== true) {
        const { rule, origin, reason, by, cut } = verdict;
        const part = by === "time" ? `${rule.id}.late.${origin.seq}` : rule.id;
        outgoing.bury(`${rule.id}: ${reason}`, part, cut === undefined ? {} : { lineageOf: origin.id });
      }
      this.#decisions.add(verdict, carryOut(verdict, outgoing));
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
    this.#engine.restore(this.#state.rows());
  }

  protected override async settled(nowMs: number): Promise<void> {
    try {
      const { nextDueMs } = this.#engine;
      if (nextDueMs !== undefined && nextDueMs <= nowMs) await this.#letTimePass();
    } catch (error) {
      console.warn("policy: what is late could not be told and will be tried again", this.ecosystem, String(error));
      this.wakeBy(Date.now() + RETRY_MS);
    }
    const { nextDueMs } = this.#engine;
    // By our own clock; the log's decides, and may be a little behind.
    if (nextDueMs !== undefined) this.wakeBy(Math.max(nextDueMs, Date.now() + 5));
  }

  /**
   * Tells what did not come in time. First everything that the log took until then is taken in: an answer that lies
   * there unread is an answer.
   */
  async #letTimePass(): Promise<void> {
    const log = this.env.SIGNAL_LOG.get(this.env.SIGNAL_LOG.idFromName(this.ecosystem));
    const { head_seq, now_ms } = await log.reached();
    await this.readThrough(head_seq);
    for (let due = this.#engine.nextDueMs; due !== undefined && due <= now_ms; due = this.#engine.nextDueMs) {
      this.decide((outgoing) => this.#pass(this.#engine.advance(now_ms, LATE_LIMIT), outgoing));
    }
  }

  #pass({ verdicts, changes }: Evaluation, outgoing: Deciding): void {
    this.#state.write(changes);
    for (const verdict of verdicts) {
      // Derived again after a rebuild: it was told then.
      if (verdict.atMs < this.#advancedMs) continue;
      if (verdict.outcome === "failed") outgoing.bury(letterOf(verdict));
      this.#decisions.add(verdict, carryOut(verdict, outgoing));
    }
    const last = verdicts.at(-1);
    if (last === undefined) return;
    this.#advancedMs = Math.max(this.#advancedMs, last.atMs + 1);
    this.#state.setNote("advanced_ms", String(this.#advancedMs));
  }
}

function letterOf({ rule, origin, reason = "", cut }: Verdict) {
  return {
    id: `policy.${origin.seq}.${rule.id}.late`,
    kind: "signal" as const,
    signal: origin,
    error: `${rule.id}: ${reason}`,
    ...(cut === undefined ? {} : { lineage: [origin.id] }),
  };
}
