import type { Signal } from "../signals/signal.ts";
import type { Scope } from "./expression.ts";
import type { RuleOutcome } from "./rule-outcome.ts";
import type { Origin } from "./state.ts";

/** A signal on its way through the rules, with everything that a rule may read of it. */
export interface EvaluationContext {
  readonly signal: Signal;
  readonly origin: Origin;
  readonly scope: Scope;
  /** When the log received the signal, in milliseconds since the epoch. */
  readonly nowMs: number;
}

/** What a rule is known to have decided on a signal. `nothing`: no decision, though the signal may have been counted. */
export type RecordedOutcome = RuleOutcome["outcome"] | "nothing";

/** @param nowMs - when the log received the signal, in milliseconds since the epoch */
export function contextOf(signal: Signal, nowMs: number): EvaluationContext {
  const { id, signal: name, source, facts, ecosystem } = signal;
  return {
    signal,
    origin: originOf(signal),
    scope: { signal: name, id, source, facts, ecosystem, now: new Date(nowMs), state: {} },
    nowMs,
  };
}

function originOf({ seq, id, signal, trace, depth }: Signal): Origin {
  return {
    seq,
    id,
    signal,
    ...(trace === undefined ? {} : { trace }),
    ...(depth === undefined ? {} : { depth }),
  };
}
