import type { Effect } from "./effect.ts";
import type { TextSketch } from "./similarity.ts";

/** The signal that something goes back to. */
export interface Origin {
  readonly seq: number;
  readonly id: string;
  readonly signal: string;
  readonly trace?: string;
  readonly depth?: number;
}

/** What a rule keeps from one signal to the next, by kind. All times are milliseconds since the epoch. */
export interface StateBodies {
  /** Something that the rule started and whose end it waits for. */
  flight: { readonly startedBy: string; readonly untilMs: number };
  /** The rule has fired for this value. */
  once: { readonly by: string; readonly untilMs: number };
  /** Times of the signals that count towards `at_least`. */
  count: { readonly timesMs: readonly number[]; readonly untilMs: number };
  memory: { readonly values: Record<string, unknown>; readonly untilMs: number };
  /** How often the rule has fired, and was cut off, since the beginning of a window. */
  rate: { readonly sinceMs: number; readonly fired: number; readonly cut: number; readonly untilMs: number };
  /** A text that was let through. */
  text: { readonly by: string; readonly name: string; readonly sketch: TextSketch; readonly untilMs: number };
  /** A signal is expected. `else` has its values already: they are those of the signal that began it. */
  expected: {
    readonly since: Origin;
    readonly sinceMs: number;
    /** The last millisecond at which an answer counts. */
    readonly dueMs: number;
    readonly else: readonly Effect[];
  };
  /** An answer that nobody was waiting for, kept for as long as the rule looks back. */
  answer: { readonly id: string; readonly atMs: number; readonly untilMs: number };
}
export type StateKind = keyof StateBodies;

/** One thing that a rule keeps, as it is stored: a row. */
export type StateRow = {
  [Kind in StateKind]: {
    readonly kind: Kind;
    readonly rule: string;
    /** The value of `by`, or what else tells it from the rule's others. */
    readonly key: string;
    readonly body: StateBodies[Kind];
  };
}[StateKind];

/** A row to be written, or, without a body, deleted. */
export interface StateChange {
  readonly kind: StateKind;
  readonly rule: string;
  readonly key: string;
  readonly body: StateRow["body"] | null;
}

/** When the row is over: it is nothing any more, or, of something expected, too late for an answer. */
export function endOf({ kind, body }: StateRow): number {
  return kind === "expected" ? body.dueMs + 1 : body.untilMs;
}
