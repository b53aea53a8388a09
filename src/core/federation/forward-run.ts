import type { AppendOutcome } from "../signals/api.ts";
import { readNumberedId } from "../signals/log/id-owner.ts";
import type { NewSignal } from "../signals/signal.ts";

/** Facts in one request, in characters. */
const MAX_CHARS = 512 * 1024;

/** A signal on its way into another ecosystem. */
export interface Forward {
  /** The id that it will have there: its producer and its number. */
  readonly id: string;
  readonly signal: NewSignal;
  /** Id of the token that put the rule. */
  readonly author: string | undefined;
}

/** Signals for one request. */
export interface ForwardRun {
  readonly producer: string;
  readonly first: number;
  readonly signals: readonly NewSignal[];
}

/** The signals from the first on that are of one author and have numbers without a hole, as far as one request may hold. */
export function forwardRun(waiting: readonly Forward[]): ForwardRun {
  const [head] = waiting;
  const { producer, number: first } = numberOf(head?.id ?? "");
  const signals: NewSignal[] = [];
  let chars = 0;
  for (const [place, { id, signal, author }] of waiting.entries()) {
    const own = numberOf(id);
    chars += signal.factsJson.length;
    const fits = signals.length === 0 || chars <= MAX_CHARS;
    if (!fits || author !== head?.author || own.producer !== producer || own.number !== first + place) break;
    signals.push(signal);
  }
  return { producer, first, signals };
}

/** What follows from the answer of the other log. */
export interface RunFate {
  /** So many signals of the run the log holds. */
  readonly held: number;
  /** The log holds other signals under the numbers of the rest. */
  readonly renew: boolean;
}

/**
 * @returns `undefined`: nothing was stored, the log is overloaded
 * @throws Error where the log does not take the producer for one of the edge's own
 */
export function fateOf({ producer, first, signals }: ForwardRun, outcome: AppendOutcome): RunFate | undefined {
  if ("overloaded" in outcome) return undefined;
  if ("foreign_id" in outcome) throw new Error(`the log refused signals of ${producer}: ${outcome.foreign_id}`);
  if (!("conflict" in outcome)) return { held: signals.length, renew: false };
  const { same_up_to } = outcome;
  const held = same_up_to === null ? 0 : Math.max(0, same_up_to - first + 1);
  // A log that has closed the producer says so even where it holds the whole run, and may hold what waits behind it too.
  return { held, renew: held < signals.length };
}

function numberOf(id: string): { readonly producer: string; readonly number: number } {
  const named = readNumberedId(id);
  if (named === undefined) throw new Error(`a forwarded signal has no number: ${id}`);
  return named;
}
