import type { Signal } from "../signals/signal.ts";
import type { Decision } from "./decision.ts";
import { PolicyEngine } from "./engine.ts";
import type { Rule } from "./rule.ts";
import type { RecordedOutcome } from "./rule-evaluation.ts";
import type { StateRow } from "./state.ts";

/** What rules kept at a moment of the past. */
export interface Kept {
  /** In force then. */
  readonly rules: readonly Rule[];
  readonly rows: readonly StateRow[];
  /** The moment, in milliseconds since the epoch. */
  readonly atMs: number;
}

/** Something expected that did not come. */
interface Late {
  readonly rule: string;
  readonly key: string;
  /** Id of the signal that began it. */
  readonly since: string;
  readonly atMs: number;
}

const NONE: ReadonlyMap<string, RecordedOutcome> = new Map();

/**
 * Finds out what rules kept at a moment of the past, from the signals before it and from what was decided on them. The
 * signals alone do not say it: whether a rule that cools down for an hour fired on the first of them depends on what
 * came before that. The record does.
 */
export class WarmUp {
  readonly #rules: readonly Rule[];
  readonly #engine: PolicyEngine;
  readonly #recorded = new Map<number, Map<string, RecordedOutcome>>();
  readonly #late: readonly Late[];
  /** From this place of the log on the record is whole. Before it there was nothing, or it is kept no more. */
  readonly #fromSeq: number;
  #told = 0;

  /** @param decisions - of the stretch that is taken in, in any order */
  constructor(rules: readonly Rule[], decisions: readonly Decision[]) {
    this.#rules = rules;
    this.#engine = new PolicyEngine(rules);
    let fromSeq = Number.POSITIVE_INFINITY;
    const late: Late[] = [];
    for (const { rule, signal, outcome, by, decided_at, values } of decisions) {
      if (by === "time") {
        late.push({ rule, key: String(values.by ?? ""), since: signal.id, atMs: Date.parse(decided_at) });
        continue;
      }
      fromSeq = Math.min(fromSeq, signal.seq);
      const known = this.#recorded.get(signal.seq) ?? new Map<string, RecordedOutcome>();
      this.#recorded.set(signal.seq, known);
      // A rule that failed and decided again since has kept what it kept then.
      if (known.get(rule) !== "fired") known.set(rule, outcome);
    }
    this.#fromSeq = fromSeq;
    this.#late = late.sort((a, b) => a.atMs - b.atMs);
  }

  /** Takes in the next signal, which is not older than the last; those that rules emitted too. */
  take(signal: Signal): void {
    this.#endLate(Date.parse(signal.received_at));
    const recorded = this.#recorded.get(signal.seq);
    this.#engine.take(signal, signal.seq < this.#fromSeq ? undefined : (recorded ?? NONE));
  }

  /** @param atMs - not before the last signal */
  keptAt(atMs: number): Kept {
    this.#endLate(atMs);
    this.#engine.advance(atMs);
    return { rules: this.#rules, rows: this.#engine.state, atMs };
  }

  /**
   * Of what was expected before the first signal that is known, only the end is recorded. Asked again until then, it was
   * expected already: the engine, which did not know, has begun to wait too late.
   */
  #endLate(nowMs: number): void {
    for (let late = this.#late[this.#told]; late !== undefined && late.atMs < nowMs; late = this.#late[++this.#told]) {
      const { rule, key, since } = late;
      const known = this.#engine.expectation(rule, key);
      if (known === undefined || known.since.id === since) continue;
      this.#engine.apply([{ kind: "expected", rule, key, body: null }]);
    }
  }
}
