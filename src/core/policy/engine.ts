import { LIMITS } from "../signals/limits.ts";
import { compilePatterns, type Matcher } from "../signals/pattern.ts";
import type { Signal } from "../signals/signal.ts";
import { compileExpression, type Expression } from "./expression.ts";
import type { Rule } from "./rule.ts";

/** Something that a rule started and whose end it waits for. */
export interface InFlight {
  readonly rule: string;
  readonly key: string;
  /** The signal that started it. */
  readonly startedBy: string;
  readonly untilMs: number;
}

export interface Emission {
  readonly signal: string;
  readonly facts: Record<string, unknown>;
}

/** What a rule made of a signal. */
export interface Verdict {
  readonly rule: Rule;
  readonly outcome: "fired" | "suppressed" | "failed";
  readonly reason?: string;
  readonly values: Record<string, unknown>;
  readonly emissions: readonly Emission[];
}

/** What a signal comes to: verdicts to record, and what is in flight from now on, or no longer. */
export interface Evaluation {
  readonly verdicts: readonly Verdict[];
  readonly started: readonly InFlight[];
  readonly ended: readonly InFlight[];
}

/** A chain of causes that has become too long to be anything but a loop. It goes to dead letters. */
export class CausalLoop extends Error {}

interface CompiledRule {
  readonly rule: Rule;
  readonly when: Matcher;
  readonly where: Expression | undefined;
  readonly until: Matcher | undefined;
  readonly key: Expression | undefined;
  readonly untilKey: Expression | undefined;
  readonly then: readonly { signal: string; facts: readonly (readonly [string, Expression])[] }[];
}

/**
 * Applies rules to signals, one at a time in the order of the log. Time is the time at which the log took the signal,
 * so that the same log gives the same decisions whenever it is read.
 */
export class PolicyEngine {
  readonly #rules: readonly CompiledRule[];
  readonly #inFlight = new Map<string, InFlight>();

  /** @throws Error that names the rule whose expression is wrong */
  constructor(rules: readonly Rule[]) {
    this.#rules = rules.filter(({ enabled }) => enabled).map(compile);
  }

  get inFlight(): InFlight[] {
    return [...this.#inFlight.values()];
  }

  restore(inFlight: Iterable<InFlight>): void {
    this.#inFlight.clear();
    for (const flight of inFlight) this.#inFlight.set(placeOf(flight), flight);
  }

  /** @throws CausalLoop when the signal stands at the end of too long a chain and a rule would lengthen it */
  take(signal: Signal): Evaluation {
    const nowMs = Date.parse(signal.received_at);
    const ended = this.#endedBy(signal, nowMs);
    const verdicts: Verdict[] = [];
    const started: InFlight[] = [];
    for (const compiled of this.#rules) {
      if (!compiled.when(signal.signal)) continue;
      const verdict = this.#judge(compiled, signal, nowMs, ended, started);
      if (verdict === undefined) continue;
      if (verdict.outcome === "fired" && (signal.depth ?? 0) >= LIMITS.causalDepth) {
        throw new CausalLoop(
          `${compiled.rule.id}: the chain of causes above ${signal.id} is ${signal.depth} signals long`,
        );
      }
      verdicts.push(verdict);
    }
    for (const flight of ended) this.#inFlight.delete(placeOf(flight));
    for (const flight of started) this.#inFlight.set(placeOf(flight), flight);
    return { verdicts, started, ended };
  }

  #judge(
    compiled: CompiledRule,
    signal: Signal,
    nowMs: number,
    ended: readonly InFlight[],
    started: InFlight[],
  ): Verdict | undefined {
    const { rule } = compiled;
    let start: InFlight | undefined;
    const values: Record<string, unknown> = {};
    try {
      if (compiled.where !== undefined) {
        values.where = compiled.where(signal);
        if (values.where !== true) return undefined;
      }
      if (compiled.key !== undefined && rule.while_in_flight !== undefined) {
        const key = String(compiled.key(signal));
        values.key = key;
        const flight = this.#inFlight.get(placeOf({ rule: rule.id, key }));
        if (flight !== undefined && !ended.includes(flight)) {
          return { rule, outcome: "suppressed", reason: `in flight since ${flight.startedBy}`, values, emissions: [] };
        }
        start = { rule: rule.id, key, startedBy: signal.id, untilMs: nowMs + rule.while_in_flight.at_most_ms };
      }
      const emissions = compiled.then.map(({ signal: name, facts }) => ({
        signal: name,
        facts: Object.fromEntries(facts.map(([fact, value]) => [fact, value(signal)])),
      }));
      if (start !== undefined) started.push(start);
      return { rule, outcome: "fired", values, emissions };
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      return { rule, outcome: "failed", reason, values, emissions: [] };
    }
  }

  /** What ends with this signal, or has been under way for too long by now. */
  #endedBy(signal: Signal, nowMs: number): InFlight[] {
    return this.inFlight.filter((flight) => {
      const compiled = this.#rules.find(({ rule }) => rule.id === flight.rule);
      return nowMs >= flight.untilMs || compiled === undefined || endsWith(compiled, flight, signal);
    });
  }
}

function endsWith(compiled: CompiledRule, flight: InFlight, signal: Signal): boolean {
  if (compiled.until === undefined || !compiled.until(signal.signal)) return false;
  if (compiled.untilKey === undefined) return true;
  try {
    return String(compiled.untilKey(signal)) === flight.key;
  } catch {
    // The facts do not say which one ended: then it is not this one. The time limit ends it.
    return false;
  }
}

function placeOf({ rule, key }: Pick<InFlight, "rule" | "key">): string {
  return `${rule} ${key}`;
}

function compile(rule: Rule): CompiledRule {
  const expression = (source: string, at: string): Expression => {
    try {
      return compileExpression(source);
    } catch (error) {
      throw new Error(`rule ${rule.id}, ${at}: ${error instanceof Error ? error.message : String(error)}`);
    }
  };
  const flight = rule.while_in_flight;
  return {
    rule,
    when: compilePatterns(rule.when),
    where: rule.where === undefined ? undefined : expression(rule.where, "where"),
    until: flight === undefined ? undefined : compilePatterns(flight.until),
    key: flight === undefined ? undefined : expression(flight.key, "while_in_flight.key"),
    untilKey: flight?.until_key === undefined ? undefined : expression(flight.until_key, "while_in_flight.until_key"),
    then: rule.then.map(({ emit }) => ({
      signal: emit.signal,
      facts: Object.entries(emit.facts).map(
        ([fact, source]) => [fact, expression(source, `then.emit.facts.${fact}`)] as const,
      ),
    })),
  };
}
