import type { Party } from "../collections/fair-queue.ts";
import type { Writable } from "../collections/writable.ts";
import type { Signal } from "../signals/signal.ts";
import type { Scope } from "./expression.ts";
import { partyOf } from "./party.ts";
import type { RuleOutcome } from "./rule-outcome.ts";
import type { Origin } from "./state.ts";
import type { WorkBudget } from "./work-budget.ts";

/** A signal on its way through the rules, with everything that a rule may read of it. */
export interface EvaluationContext {
  readonly signal: Signal;
  readonly origin: Origin;
  readonly scope: Scope;
  /** When the log received the signal, in milliseconds since the epoch. */
  readonly nowMs: number;
  /** To whom the signal is charged; `undefined`: to nobody. */
  readonly party: Party | undefined;
}

/** What a rule is known to have decided on a signal. `nothing`: no decision, though the signal may have been counted. */
export type RecordedOutcome = RuleOutcome["outcome"] | "nothing";

/**
 * @param nowMs - when the log received the signal, in milliseconds since the epoch
 * @param sender - who sent the signal, see senders.ts
 */
export function contextOf(signal: Signal, nowMs: number, sender?: string): EvaluationContext {
  const { id, signal: name, source, facts, ecosystem } = signal;
  return {
    signal,
    origin: originOf(signal),
    scope: { signal: name, id, source, facts, ecosystem, now: new Date(nowMs), state: {} },
    nowMs,
    party: partyOf(signal, sender),
  };
}

/** The scope of a signal for a rule that may take so many steps. Written out: a copy by spreading takes twice as long. */
export function scopeWith({ signal, id, source, facts, ecosystem, now, state }: Scope, work: WorkBudget): Scope {
  return { signal, id, source, facts, ecosystem, now, state, work };
}

function originOf({ seq, id, signal, trace, depth, hops }: Signal): Origin {
  const origin: Writable<Origin> = { seq, id, signal };
  if (trace !== undefined) origin.trace = trace;
  if (depth !== undefined) origin.depth = depth;
  if (hops !== undefined) origin.hops = hops;
  return origin;
}
