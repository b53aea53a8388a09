import type { Effect } from "./effect.ts";
import type { TextSketch } from "./similarity.ts";

/** The signal that a decision, an effect or an expectation goes back to. */
export interface Origin {
  readonly seq: number;
  readonly id: string;
  readonly signal: string;
  readonly trace?: string;
  readonly depth?: number;
  readonly hops?: number;
}

/** State that a rule keeps from one signal to the next, by kind. All times are milliseconds since the epoch. */
export interface StateBodies {
  /** Work that the rule started and whose end the rule waits for. */
  flight: { readonly startedBy: string; readonly untilMs: number };
  /** The rule has fired for this value, in the signal with the id `by`. */
  once: { readonly by: string; readonly untilMs: number };
  /** Times of the signals that count towards `at_least`. */
  count: { readonly timesMs: readonly number[]; readonly untilMs: number };
  /** Values of `remember`. */
  memory: { readonly values: Record<string, unknown>; readonly untilMs: number };
  /** How often the rule has fired, and was cut off, since the window of its rate began. */
  rate: { readonly sinceMs: number; readonly fired: number; readonly cut: number; readonly untilMs: number };
  /** How often the rule has fired for a sender, or for one of its sources, since the window of its share began. */
  share: { readonly fired: number; readonly untilMs: number };
  /** A text that was let through, with which later texts are compared. */
  text: { readonly by: string; readonly name: string; readonly sketch: TextSketch; readonly untilMs: number };
  /** A signal is expected. The effects of `else` are resolved already, from the signal that began the wait. */
  expected: {
    readonly since: Origin;
    readonly sinceMs: number;
    /** The last millisecond at which an answer counts. */
    readonly dueMs: number;
    readonly else: readonly Effect[];
  };
  /** An answer that came before its question, kept for as long as the rule looks back. */
  answer: { readonly id: string; readonly atMs: number; readonly untilMs: number };
  /** A mark of an older system that was imported, until it would have ended; its key is the kind and key of the mark. */
  imported: { readonly untilMs: number };
  /** The rule is not evaluated any more: on the signal with the id `by` it took more steps than allowed. */
  quarantine: {
    readonly by: string;
    readonly seq: number;
    readonly atMs: number;
    readonly reason: string;
    readonly untilMs: number;
  };
}
export type StateKind = keyof StateBodies;

/** Key of the one row `once` that is the cooldown of a rule; the keys of the others begin with `=`. */
export const COOLDOWN_KEY = "cooldown";

/** Where a row of state stands. */
export interface StateKey {
  readonly kind: StateKind;
  readonly rule: string;
  /** The value of `by`, or what else distinguishes the row from others of this kind and rule. */
  readonly key: string;
}

/** One row of state, as it is stored. */
export type StateRow = {
  [Kind in StateKind]: StateKey & { readonly kind: Kind; readonly body: StateBodies[Kind] };
}[StateKind];

/** A row to be written, or, where the body is null, deleted. */
export type StateMutation = StateRow | (StateKey & { readonly body: null });

/** When the row ends: from then on it means nothing, or, for an expectation, every answer is too late. */
export function endOf({ kind, body }: StateRow): number {
  return kind === "expected" ? body.dueMs + 1 : body.untilMs;
}
