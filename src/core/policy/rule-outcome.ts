import type { ResolvedQuestion } from "./ask.ts";
import type { Effect } from "./effect.ts";
import type { SpentShare } from "./party.ts";
import type { Rule } from "./rule.ts";
import type { Origin, StateMutation } from "./state.ts";

/** What a rule decided on a signal, or when an expected signal did not come in time. */
export interface RuleOutcome {
  readonly rule: Rule;
  readonly outcome: "fired" | "suppressed" | "failed";
  /** Which condition suppressed the rule, or what went wrong. */
  readonly reason?: string;
  /** Values that the rule read, by path. */
  readonly values: Record<string, unknown>;
  /** Effects to carry out. A suppressed rule may have some too: those of `else`. */
  readonly effects: readonly Effect[];
  /** A question to a model, whose answer chooses further effects. */
  readonly question?: ResolvedQuestion;
  /** The signal that was decided on; after a time-out, the signal that began the wait. */
  readonly origin: Origin;
  /** The log's time at which the rule decided, in milliseconds since the epoch. */
  readonly atMs: number;
  /** `time`: an expected signal did not come in time. */
  readonly by: "signal" | "time";
  /** Which limit ended the rule: the length of the chain of causes, its way through ecosystems, the rate, or the steps. */
  readonly cut?: "depth" | "hops" | "rate" | "work";
  /** Makes no dead letter of this failure, because there are enough dead letters of the same kind. */
  readonly quiet?: true;
  /** Who has used up a share of the rule, which was suppressed for that. */
  readonly spent?: SpentShare;
}

/** A rule that is not evaluated any more, until somebody edits it. */
export interface Quarantined {
  readonly rule: Rule;
  readonly origin: Origin;
  readonly atMs: number;
  readonly reason: string;
}

/** What the rules made of a signal, or of time that passed. */
export interface Evaluation {
  readonly outcomes: readonly RuleOutcome[];
  /** Rules that took too many steps on this signal. */
  readonly quarantined: readonly Quarantined[];
  /** Rows to be written in the transaction that writes the effects. */
  readonly mutations: readonly StateMutation[];
}
