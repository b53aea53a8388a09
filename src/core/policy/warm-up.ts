import type { Signal } from "../signals/signal.ts";
import type { Decision } from "./decision.ts";
import { PolicyEngine } from "./engine.ts";
import type { RecordedOutcome } from "./evaluation-context.ts";
import type { Rule } from "./rule.ts";
import type { StateRow } from "./state.ts";
import { marksOfRecord } from "./state-import.ts";

/** State of the rules at a moment of the past. */
export interface StateSnapshot {
  /** The rules in force then. */
  readonly rules: readonly Rule[];
  readonly rows: readonly StateRow[];
  /** The moment, in milliseconds since the epoch. */
  readonly atMs: number;
}

/** A recorded time-out of an expectation. */
interface RecordedTimeout {
  readonly rule: string;
  readonly key: string;
  /** Id of the signal that began the wait. */
  readonly since: string;
  readonly atMs: number;
}

/** A recorded import of an older system's state. */
interface RecordedImport extends NonNullable<Decision["imported"]> {
  readonly rule: string;
  /** The last signal before it. */
  readonly seq: number;
  readonly atMs: number;
}

const NO_DECISIONS: ReadonlyMap<string, RecordedOutcome> = new Map();

/**
 * Derives the state of the rules at a moment of the past, from the signals before it and the decisions on them. The
 * signals alone are not enough: whether a rule with a cooldown of an hour fired on the first of them depends on what came
 * before that signal. The recorded decision has the answer.
 */
export class WarmUp {
  readonly #rules: readonly Rule[];
  readonly #engine: PolicyEngine;
  readonly #recorded = new Map<number, Map<string, RecordedOutcome>>();
  readonly #timeouts: readonly RecordedTimeout[];
  /** From this sequence number on the record is complete. Earlier decisions were never made, or have been pruned. */
  readonly #fromSeq: number;
  readonly #imports: readonly RecordedImport[];
  #nextTimeout = 0;
  #nextImport = 0;

  /** @param decisions - on the signals that will be processed, in any order */
  constructor(rules: readonly Rule[], decisions: readonly Decision[]) {
    this.#rules = rules;
    this.#engine = new PolicyEngine(rules);
    let fromSeq = Number.POSITIVE_INFINITY;
    const timeouts: RecordedTimeout[] = [];
    const imports: RecordedImport[] = [];
    for (const { rule, signal, outcome, by, decided_at, values, imported } of decisions) {
      if (imported !== undefined) {
        imports.push({ ...imported, rule, seq: signal.seq, atMs: Date.parse(decided_at) });
        continue;
      }
      if (by === "time") {
        timeouts.push({ rule, key: String(values.by ?? ""), since: signal.id, atMs: Date.parse(decided_at) });
        continue;
      }
      fromSeq = Math.min(fromSeq, signal.seq);
      const known = this.#recorded.get(signal.seq) ?? new Map<string, RecordedOutcome>();
      this.#recorded.set(signal.seq, known);
      // A rule that failed and was evaluated again later has the state of the later decision.
      if (known.get(rule) !== "fired") known.set(rule, outcome);
    }
    this.#fromSeq = fromSeq;
    this.#timeouts = timeouts.sort((a, b) => a.atMs - b.atMs);
    this.#imports = imports.sort((a, b) => a.seq - b.seq || a.atMs - b.atMs);
  }

  /** Steps that the warm-up has taken. */
  get steps(): number {
    return this.#engine.steps;
  }

  /** Processes the next signal, which is not older than the last; signals that rules emitted included. */
  process(signal: Signal): void {
    this.#applyTimeouts(Date.parse(signal.received_at));
    this.#applyImports(signal.seq);
    const recorded = this.#recorded.get(signal.seq);
    this.#engine.evaluate(signal, signal.seq < this.#fromSeq ? undefined : (recorded ?? NO_DECISIONS));
  }

  /** @param atMs - not before the last signal */
  snapshotAt(atMs: number): StateSnapshot {
    this.#applyTimeouts(atMs);
    this.#applyImports(Number.POSITIVE_INFINITY);
    this.#engine.advanceClock(atMs);
    return { rules: this.#rules, rows: this.#engine.state, atMs };
  }

  /** What was imported before the signal `seq` holds its rules back from then on. */
  #applyImports(seq: number): void {
    for (let next = this.#imports[this.#nextImport]; next !== undefined && next.seq < seq; ) {
      this.#engine.holdBack(next.rule, marksOfRecord(next.marks), next.by);
      next = this.#imports[++this.#nextImport];
    }
  }

  /**
   * Ends waits that began before the first known signal; of those only the time-out is recorded. Where the question was
   * repeated until then, the engine, which does not know of the first one, has begun its wait too late.
   */
  #applyTimeouts(nowMs: number): void {
    for (
      let timeout = this.#timeouts[this.#nextTimeout];
      timeout !== undefined && timeout.atMs < nowMs;
      timeout = this.#timeouts[++this.#nextTimeout]
    ) {
      const { rule, key, since } = timeout;
      const known = this.#engine.expectation(rule, key);
      if (known === undefined || known.since.id === since) continue;
      this.#engine.apply([{ kind: "expected", rule, key, body: null }]);
    }
  }
}
