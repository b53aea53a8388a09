import { hashKey } from "../log/key-filter.ts";
import type { Signal } from "../signals/signal.ts";
import { formatTimestamp } from "../signals/timestamp.ts";
import type { Effect } from "./effect.ts";
import { PolicyEngine } from "./engine.ts";
import type { Rule } from "./rule.ts";
import type { Verdict } from "./verdict.ts";

/** Who emits what rules emit. In a history, such signals are left out: the rules that are tried emit their own. */
export const POLICY_SOURCE = "ganglion/policy";
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
  readonly outcome: Verdict["outcome"];
  readonly by: Verdict["by"];
  readonly reason?: string;
  readonly values: Readonly<Record<string, unknown>>;
  readonly effects: readonly Effect[];
}

/**
 * Runs rules over signals that have been, and keeps what they decide to itself (R31). The same engine as in force, over
 * the same times; what the rules emit comes back to them as it would from the log. It begins with nothing under way.
 */
export class Simulation {
  readonly #engine: PolicyEngine;
  readonly #answers: Readonly<Record<string, string>>;
  readonly #waiting: Signal[] = [];
  #emitted = 0;
  #signals = 0;

  /**
   * @param answers - what a model is taken to answer to a rule that asks, by the rule's id; without it, its fallback
   * @throws InvalidRule for a rule of which some expression is wrong
   */
  constructor(rules: readonly Rule[], answers: Readonly<Record<string, string>> = {}) {
    this.#answers = answers;
    this.#engine = new PolicyEngine(rules);
  }

  /** Signals taken in, what the rules emitted themselves left out. */
  get signals(): number {
    return this.#signals;
  }

  /** Takes in the next signal of the history, which is not older than the last. */
  take(signal: Signal): SimulatedDecision[] {
    // What a rule emitted names its cause; a change of the rules does not, and may concern a rule.
    if (signal.source === POLICY_SOURCE && signal.cause !== undefined) return [];
    this.#signals++;
    const decisions = this.pass(Date.parse(signal.received_at));
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

  #note({ rule, origin, atMs, outcome, by, reason, values, asked, ...verdict }: Verdict): SimulatedDecision {
    const choice = this.#answers[rule.id] ?? asked?.fallback;
    const chosen = asked?.choices.find(({ name }) => name === choice)?.effects ?? [];
    const effects = [...verdict.effects, ...chosen];
    for (const [place, effect] of effects.entries()) {
      if (effect.kind !== "emit" || this.#emitted >= MAX_EMITTED) continue;
      this.#emitted++;
      const at = formatTimestamp(atMs);
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
export type OutcomeCounts = Readonly<Record<Verdict["outcome"], number>>;

export function countOutcomes(decisions: readonly SimulatedDecision[]): Record<string, OutcomeCounts> {
  const counts: Record<string, Record<Verdict["outcome"], number>> = {};
  for (const { rule, outcome } of decisions) {
    counts[rule] ??= { fired: 0, suppressed: 0, failed: 0 };
    counts[rule][outcome]++;
  }
  return counts;
}
