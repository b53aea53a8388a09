import { hashKey } from "../signals/log/key-filter.ts";
import type { Signal } from "../signals/signal.ts";
import { formatTimestamp } from "../signals/timestamp.ts";
import type { Effect } from "./effect.ts";
import { PolicyEngine } from "./engine.ts";
import type { Pace } from "./pace.ts";
import { POLICY_SOURCE, RecordedEmissions } from "./recorded-emissions.ts";
import type { Rule } from "./rule.ts";
import type { RuleOutcome } from "./rule-outcome.ts";
import type { OutcomeCounts, SimulatedDecision } from "./simulated.ts";
import type { StateSnapshot } from "./warm-up.ts";

/** Signals that the rules of one simulation may emit. The loop guard ends chains; this limit ends fan-out. */
const MAX_EMITTED = 100_000;
/** Sequence numbers beyond any that a log assigns. */
const FIRST_SEQ = 2 ** 52;

/** Work of a simulation that may be interrupted where it yields. */
type SimulationWork = Generator<undefined, SimulatedDecision[]>;

/** Does the work without an interruption. */
export function finish(work: SimulationWork): SimulatedDecision[] {
  for (;;) {
    const { done, value } = work.next();
    if (done === true) return value;
  }
}

/** Does the work at a pace. @returns `undefined` where it takes too many steps */
export async function finishAtPace(
  work: SimulationWork,
  simulation: Simulation,
  pace: Pace,
): Promise<SimulatedDecision[] | undefined> {
  for (let before = simulation.steps; ; before = simulation.steps) {
    const { done, value } = work.next();
    await pace.spend(simulation.steps - before);
    if (done === true) return value;
    if (pace.exhausted) return undefined;
  }
}

export interface SimulationOptions {
  /** Choices of models, by the id of the rule that asks. Default: the rule's fallback. */
  readonly answers?: Readonly<Record<string, string>>;
  /** State at the beginning, when the simulated rules come into force. Default: none. */
  readonly snapshot?: StateSnapshot;
  /** Signals that rules emitted then, as far as they have been read ahead. */
  readonly emissions?: RecordedEmissions;
}

/**
 * Runs rules over signals of the past without writing anything. The engine and the times are the same as in force. A
 * signal that the rules emit comes back to them: as recorded, where an equal signal was emitted then, and otherwise at
 * once.
 */
export class Simulation {
  readonly #engine: PolicyEngine;
  readonly #answers: Readonly<Record<string, string>>;
  readonly #emissions: RecordedEmissions;
  readonly #pending: Signal[] = [];
  /** Ids of recorded signals ahead that the simulated rules have emitted too. */
  readonly #awaited = new Set<string>();
  #emitted = 0;

  /** @throws InvalidRule for a rule with an invalid expression */
  constructor(
    rules: readonly Rule[],
    { answers = {}, snapshot, emissions = new RecordedEmissions() }: SimulationOptions = {},
  ) {
    this.#answers = answers;
    this.#engine = new PolicyEngine(snapshot?.rules ?? rules);
    this.#emissions = emissions;
    if (snapshot === undefined) return;
    this.#engine.restore(snapshot.rows);
    this.#engine.replace(rules);
  }

  /** Steps that the simulation has taken. */
  get steps(): number {
    return this.#engine.steps;
  }

  /**
   * Processes the next signal of the history, which is not older than the last. Rules emit signals that other rules
   * decide on, so that one signal can be much work: the generator stops after each of them.
   */
  *process(signal: Signal): SimulationWork {
    const decisions = yield* this.advanceClock(Date.parse(signal.received_at));
    // Checked after the time-outs: one of them may have emitted this signal.
    if (this.#emissions.covers(signal) && !this.#awaited.delete(signal.id)) return decisions;
    this.#pending.push(signal);
    return [...decisions, ...(yield* this.#processPending())];
  }

  /** Lets time pass: signals that were expected before `nowMs` and did not come are too late. */
  *advanceClock(nowMs: number): SimulationWork {
    const decisions: SimulatedDecision[] = [];
    // One time-out after the other: a signal that the first one emits may be the answer for which the second waits.
    for (let due = this.#engine.nextDueMs; due !== undefined && due <= nowMs; due = this.#engine.nextDueMs) {
      for (const outcome of this.#engine.advanceClock(due).outcomes) decisions.push(this.#record(outcome));
      for (const decision of yield* this.#processPending()) decisions.push(decision);
    }
    return decisions;
  }

  *#processPending(): SimulationWork {
    const decisions: SimulatedDecision[] = [];
    for (let signal = this.#pending.shift(); signal !== undefined; signal = this.#pending.shift()) {
      for (const outcome of this.#engine.evaluate(signal).outcomes) decisions.push(this.#record(outcome));
      yield;
    }
    return decisions;
  }

  #record(decided: RuleOutcome): SimulatedDecision {
    const { rule, origin, atMs, outcome, by, reason, values, question } = decided;
    const choice = this.#answers[rule.id] ?? question?.fallback;
    const chosen = question?.choices.find(({ name }) => name === choice)?.effects ?? [];
    const effects = [...decided.effects, ...chosen];
    for (const [index, effect] of effects.entries()) if (effect.kind === "emit") this.#emit(decided, effect, index);
    return {
      rule: rule.id,
      rule_version: rule.version,
      at: formatTimestamp(atMs),
      outcome,
      by,
      values,
      effects,
      signal: { seq: origin.seq, id: origin.id, signal: origin.signal },
      ...(reason === undefined ? {} : { reason }),
    };
  }

  #emit({ rule, origin, atMs, by }: RuleOutcome, effect: Extract<Effect, { kind: "emit" }>, index: number): void {
    if (this.#emitted >= MAX_EMITTED) return;
    const at = formatTimestamp(atMs);
    const recorded = this.#emissions
      .find(origin.id, effect.signal, at, effect.facts)
      .find((id) => !this.#awaited.has(id));
    if (recorded !== undefined) {
      this.#awaited.add(recorded);
      return;
    }
    this.#emitted++;
    // Derived from the cause, so that two simulations give the same signal the same id.
    const id = `${origin.id}:${rule.id}:${by}:${index}`;
    this.#pending.push({
      seq: FIRST_SEQ + hashKey("id", id),
      id,
      ecosystem: "simulation",
      source: POLICY_SOURCE,
      signal: effect.signal,
      facts: effect.facts,
      timestamp: at,
      received_at: at,
      cause: origin.id,
      depth: (origin.depth ?? 0) + 1,
    });
  }
}

export function countOutcomes(decisions: readonly SimulatedDecision[]): Record<string, OutcomeCounts> {
  const counts = new Map<string, Record<RuleOutcome["outcome"], number>>();
  for (const { rule, outcome } of decisions) {
    const count = counts.get(rule) ?? { fired: 0, suppressed: 0, failed: 0 };
    count[outcome]++;
    counts.set(rule, count);
  }
  return Object.fromEntries(counts);
}
