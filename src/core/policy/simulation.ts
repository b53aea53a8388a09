import { hashKey } from "../signals/log/key-filter.ts";
import type { Signal } from "../signals/signal.ts";
import { formatTimestamp } from "../signals/timestamp.ts";
import type { Effect } from "./effect.ts";
import { EmittedThen, POLICY_SOURCE } from "./emitted-then.ts";
import { PolicyEngine } from "./engine.ts";
import type { Rule } from "./rule.ts";
import type { RuleOutcome } from "./rule-outcome.ts";
import type { Kept } from "./warm-up.ts";

/** Signals that the rules of one simulation emit at most. The loop guard ends chains; this ends what fans out. */
const MAX_EMITTED = 100_000;
/** Places beyond any that a log gives out. */
const FIRST_SEQ = 2 ** 52;

/** What a rule would have decided. */
export interface SimulatedDecision {
  readonly rule: string;
  readonly rule_version: number;
  readonly signal: { readonly seq: number; readonly id: string; readonly signal: string };
  /** RFC 3339 */
  readonly at: string;
  readonly outcome: RuleOutcome["outcome"];
  readonly by: RuleOutcome["by"];
  readonly reason?: string;
  readonly values: Readonly<Record<string, unknown>>;
  readonly effects: readonly Effect[];
}

export interface SimulationOptions {
  /** What a model is taken to answer to a rule that asks, by the rule's id; without it, its fallback. */
  readonly answers?: Readonly<Record<string, string>>;
  /** What rules kept as it begins: the rules are put in force then. Without it, it begins with nothing under way. */
  readonly kept?: Kept;
  /** What rules emitted then, as far as it is known ahead. */
  readonly emitted?: EmittedThen;
}

/**
 * Runs rules over signals that have been, and keeps what they decide to itself (R31). The same engine as in force, over
 * the same times. What the rules emit comes back to them as it did from the log, where they emit what was emitted then,
 * and otherwise at once.
 */
export class Simulation {
  readonly #engine: PolicyEngine;
  readonly #answers: Readonly<Record<string, string>>;
  readonly #emittedThen: EmittedThen;
  readonly #waiting: Signal[] = [];
  /** Ids of signals that are to come from the log and that the rules that are tried have emitted too. */
  readonly #awaited = new Set<string>();
  #emitted = 0;

  /** @throws InvalidRule for a rule of which some expression is wrong */
  constructor(rules: readonly Rule[], { answers = {}, kept, emitted = new EmittedThen() }: SimulationOptions = {}) {
    this.#answers = answers;
    this.#engine = new PolicyEngine(kept?.rules ?? rules);
    this.#emittedThen = emitted;
    if (kept === undefined) return;
    this.#engine.restore(kept.rows);
    this.#engine.replace(rules);
  }

  /** Takes in the next signal of the history, which is not older than the last. */
  take(signal: Signal): SimulatedDecision[] {
    const decisions = this.pass(Date.parse(signal.received_at));
    // What was late by then may be what is emitted here.
    if (this.#emittedThen.has(signal) && !this.#awaited.delete(signal.id)) return decisions;
    this.#waiting.push(signal);
    return [...decisions, ...this.#settle()];
  }

  /** Lets time pass: what was expected before `nowMs` and did not come is too late. */
  pass(nowMs: number): SimulatedDecision[] {
    const decisions: SimulatedDecision[] = [];
    // One after the other: what is emitted when the first is late may be what the second waits for.
    for (let due = this.#engine.nextDueMs; due !== undefined && due <= nowMs; due = this.#engine.nextDueMs) {
      for (const verdict of this.#engine.advance(due).verdicts) decisions.push(this.#note(verdict));
      decisions.push(...this.#settle());
    }
    return decisions;
  }

  #settle(): SimulatedDecision[] {
    const decisions: SimulatedDecision[] = [];
    for (let signal = this.#waiting.shift(); signal !== undefined; signal = this.#waiting.shift()) {
      for (const verdict of this.#engine.take(signal).verdicts) decisions.push(this.#note(verdict));
    }
    return decisions;
  }

  #note({ rule, origin, atMs, outcome, by, reason, values, asked, ...verdict }: RuleOutcome): SimulatedDecision {
    const choice = this.#answers[rule.id] ?? asked?.fallback;
    const chosen = asked?.choices.find(({ name }) => name === choice)?.effects ?? [];
    const effects = [...verdict.effects, ...chosen];
    for (const [place, effect] of effects.entries()) {
      if (effect.kind !== "emit" || this.#emitted >= MAX_EMITTED) continue;
      const at = formatTimestamp(atMs);
      const then = this.#emittedThen
        .find(origin.id, effect.signal, at, effect.facts)
        .find((id) => !this.#awaited.has(id));
      if (then !== undefined) {
        this.#awaited.add(then);
        continue;
      }
      this.#emitted++;
      // By what led to it, so that two simulations call the same thing the same.
      const id = `${origin.id}:${rule.id}:${by}:${place}`;
      this.#waiting.push({
        ...{ seq: FIRST_SEQ + hashKey("id", id), id, ecosystem: "simulation", source: POLICY_SOURCE },
        ...{ signal: effect.signal, facts: effect.facts, timestamp: at, received_at: at },
        ...{ cause: origin.id, depth: (origin.depth ?? 0) + 1 },
      });
    }
    return {
      ...{ rule: rule.id, rule_version: rule.version, at: formatTimestamp(atMs), outcome, by, values, effects },
      signal: { seq: origin.seq, id: origin.id, signal: origin.signal },
      ...(reason === undefined ? {} : { reason }),
    };
  }
}

/** How two sets of rules differ in what they decide on one signal. */
export interface Difference {
  readonly rule: string;
  readonly signal: SimulatedDecision["signal"];
  readonly at: string;
  /** Absent: the rule had nothing to say. */
  readonly before?: SimulatedDecision;
  readonly after?: SimulatedDecision;
}

/** @returns in the order of time; the wording of a reason and the rule's version make no difference */
export function differencesOf(before: readonly SimulatedDecision[], after: readonly SimulatedDecision[]): Difference[] {
  const keyOf = ({ rule, signal, by, at }: SimulatedDecision) =>
    `${rule} ${signal.id} ${by} ${by === "time" ? at : ""}`;
  const left = new Map(before.map((decision) => [keyOf(decision), decision]));
  const right = new Map(after.map((decision) => [keyOf(decision), decision]));
  const found: Difference[] = [];
  for (const key of new Set([...left.keys(), ...right.keys()])) {
    const [was, is] = [left.get(key), right.get(key)];
    const one = is ?? was;
    if (one === undefined || (was !== undefined && is !== undefined && sameOutcome(was, is))) continue;
    const { rule, signal, at } = one;
    found.push({
      ...{ rule, signal, at },
      ...(was === undefined ? {} : { before: was }),
      ...(is === undefined ? {} : { after: is }),
    });
  }
  return found.sort((a, b) => (a.at < b.at ? -1 : a.at > b.at ? 1 : 0));
}

function sameOutcome(a: SimulatedDecision, b: SimulatedDecision): boolean {
  return a.outcome === b.outcome && JSON.stringify(a.effects) === JSON.stringify(b.effects);
}

/** How often each rule fired, was held back, or failed. */
export type OutcomeCounts = Readonly<Record<RuleOutcome["outcome"], number>>;

export function countOutcomes(decisions: readonly SimulatedDecision[]): Record<string, OutcomeCounts> {
  const counts: Record<string, Record<RuleOutcome["outcome"], number>> = {};
  for (const { rule, outcome } of decisions) {
    counts[rule] ??= { fired: 0, suppressed: 0, failed: 0 };
    counts[rule][outcome]++;
  }
  return counts;
}
