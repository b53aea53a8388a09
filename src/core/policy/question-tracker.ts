import type { Answer, NoAnswer, Question } from "../models/question.ts";

/** A question of a rule whose answer is being waited for, with what each answer would lead to. */
export interface OpenQuestion<Effect> {
  readonly question: Question;
  /** The choice that is taken when there is no answer that can be used. */
  readonly fallback: string;
  /** What each choice leads to, worked out when the rule fired: a rule that changes meanwhile changes nothing. */
  readonly effects: Readonly<Record<string, readonly Effect[]>>;
  /** From then on the fallback is taken, in milliseconds since the epoch. */
  readonly deadlineMs: number;
}

/** How a question ended. */
export interface Settled<Effect, Open extends OpenQuestion<Effect>> {
  readonly open: Open;
  readonly state: "answered" | "fallback";
  readonly choice: string;
  readonly effects: readonly Effect[];
  /** Why it is the fallback. */
  readonly why?: NoAnswer | "deadline";
  /** What was heard, if anything was. */
  readonly answer?: Answer;
}

/**
 * asked → answered | fallback, once for each question.
 *
 * The shell keeps a row for each open question. It settles one by deleting that row in the transaction that writes the
 * effects: an answer that comes twice, or with the deadline, finds the question gone.
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

  /** When the next question is given up; `undefined`: none is open. */
  get nextDeadlineMs(): number | undefined {
    let next: number | undefined;
    for (const { deadlineMs } of this.#open.values()) next = Math.min(next ?? deadlineMs, deadlineMs);
    return next;
  }

  /** @returns `undefined`: the question has been settled already, or was never asked */
  answered(id: string, answer: Answer, nowMs: number): Settled<Effect, Open> | undefined {
    const open = this.#open.get(id);
    if (open === undefined) return undefined;
    if (nowMs >= open.deadlineMs) return this.#settle(open, "deadline", answer);
    if (answer.choice === null) return this.#settle(open, answer.failure ?? "nonsense", answer);
    // Checked where the answer was read already; what is emitted must not depend on that.
    if (!open.question.choices.some(({ name }) => name === answer.choice)) {
      return this.#settle(open, "nonsense", answer);
    }
    this.#open.delete(id);
    return { open, state: "answered", choice: answer.choice, effects: effectsOf(open, answer.choice), answer };
  }

  /** Gives up what has waited for too long. */
  overdue(nowMs: number): Settled<Effect, Open>[] {
    return this.open.filter(({ deadlineMs }) => nowMs >= deadlineMs).map((open) => this.#settle(open, "deadline"));
  }

  #settle(open: Open, why: NoAnswer | "deadline", answer?: Answer): Settled<Effect, Open> {
    this.#open.delete(open.question.id);
    const { fallback } = open;
    const heard = answer === undefined ? {} : { answer };
    return { open, state: "fallback", choice: fallback, effects: effectsOf(open, fallback), why, ...heard };
  }
}

function effectsOf<Effect>(open: OpenQuestion<Effect>, choice: string): readonly Effect[] {
  // Own members alone: a choice may be called "constructor".
  return Object.hasOwn(open.effects, choice) ? (open.effects[choice] ?? []) : [];
}
