import type { Answer, AnswerFailure, Question } from "../models/question.ts";

/** A question of a rule that waits for its answer, with the effects of each answer. */
export interface OpenQuestion<Effect> {
  readonly question: Question;
  /** The choice that is taken without a usable answer. */
  readonly fallback: string;
  /** Effects by choice, resolved when the rule fired: changing the rule later has no influence on them. */
  readonly effects: Readonly<Record<string, readonly Effect[]>>;
  /** The fallback is taken from then on, in milliseconds since the epoch. */
  readonly deadlineMs: number;
}

/** How a question ended. */
export interface SettledQuestion<Effect, Open extends OpenQuestion<Effect>> {
  readonly open: Open;
  readonly state: "answered" | "fallback";
  readonly choice: string;
  readonly effects: readonly Effect[];
  /** Why the fallback was taken. */
  readonly why?: AnswerFailure | "deadline";
  /** The answer, if one came. */
  readonly answer?: Answer;
}

/**
 * asked → answered | fallback, once for each question.
 *
 * The caller keeps a row for each open question and settles a question by deleting that row in the transaction that
 * writes the effects: a second answer, or an answer that comes together with the deadline, finds no question.
 */
export class QuestionTracker<Effect, Open extends OpenQuestion<Effect> = OpenQuestion<Effect>> {
  readonly #open = new Map<string, Open>();

  restore(open: Iterable<Open>): void {
    this.#open.clear();
    for (const question of open) this.ask(question);
  }

  ask(open: Open): void {
    this.#open.set(open.question.id, open);
  }

  get open(): readonly Open[] {
    return [...this.#open.values()];
  }

  /** When the next question expires; `undefined`: none is open. */
  get nextDeadlineMs(): number | undefined {
    let next: number | undefined;
    for (const { deadlineMs } of this.#open.values()) next = Math.min(next ?? deadlineMs, deadlineMs);
    return next;
  }

  /** @returns `undefined`: the question was settled before, or never asked */
  answer(id: string, answer: Answer, nowMs: number): SettledQuestion<Effect, Open> | undefined {
    const open = this.#open.get(id);
    if (open === undefined) return undefined;
    if (nowMs >= open.deadlineMs) return this.#fallBack(open, "deadline", answer);
    if (answer.choice === null) return this.#fallBack(open, answer.failure ?? "nonsense", answer);
    // The reader of the answer has checked this already; the effects must not depend on that check.
    if (!open.question.choices.some(({ name }) => name === answer.choice)) {
      return this.#fallBack(open, "nonsense", answer);
    }
    this.#open.delete(id);
    return { open, state: "answered", choice: answer.choice, effects: effectsOf(open, answer.choice), answer };
  }

  /** Settles the questions whose deadline has passed. */
  expire(nowMs: number): SettledQuestion<Effect, Open>[] {
    return this.open.filter(({ deadlineMs }) => nowMs >= deadlineMs).map((open) => this.#fallBack(open, "deadline"));
  }

  #fallBack(open: Open, why: AnswerFailure | "deadline", answer?: Answer): SettledQuestion<Effect, Open> {
    this.#open.delete(open.question.id);
    return {
      open,
      state: "fallback",
      choice: open.fallback,
      effects: effectsOf(open, open.fallback),
      why,
      ...(answer === undefined ? {} : { answer }),
    };
  }
}

function effectsOf<Effect>(open: OpenQuestion<Effect>, choice: string): readonly Effect[] {
  // Own members alone: a choice may be named "constructor".
  return Object.hasOwn(open.effects, choice) ? (open.effects[choice] ?? []) : [];
}
