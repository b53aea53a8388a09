import type { Answer, Question } from "../../core/models/question.ts";
import type { Effect } from "../../core/policy/effect.ts";
import { type OpenQuestion, QuestionTracker, type Settled } from "../../core/policy/question-tracker.ts";
import type { RuleOutcome } from "../../core/policy/rule-outcome.ts";
import type { Origin } from "../../core/policy/state.ts";

/** Beyond the question's own time, for the way to who asks it and back, in milliseconds. */
const TRAVEL_MS = 1_000;

/** A question of a rule. Its id is that of the decision. */
export interface RuleQuestion extends OpenQuestion<Effect> {
  readonly rule: string;
  readonly origin: Origin;
}
export type SettledQuestion = Settled<Effect, RuleQuestion>;

interface Surroundings {
  ask(question: Question): Promise<Answer>;
  /** Deletes the row of the question in the transaction that carries out what it came to. */
  settle(settled: SettledQuestion): void;
}

/**
 * Questions that wait for an answer: a row each, written with the decision that asks and deleted with the effects of
 * its outcome. Asking happens between the two and may happen again: who asks knows the question by its id.
 */
export class Questions {
  readonly #sql: SqlStorage;
  readonly #around: Surroundings;
  readonly #book = new QuestionTracker<Effect, RuleQuestion>();
  readonly #asking = new Set<string>();

  constructor(sql: SqlStorage, around: Surroundings) {
    this.#sql = sql;
    this.#around = around;
    sql.exec("CREATE TABLE IF NOT EXISTS questions (id TEXT PRIMARY KEY, body TEXT NOT NULL) WITHOUT ROWID");
  }

  /** Takes the disk's word. */
  load(): void {
    const rows = this.#sql.exec<{ body: string }>("SELECT body FROM questions");
    this.#book.restore([...rows].map(({ body }) => JSON.parse(body) as RuleQuestion));
  }

  /** In the transaction of the decision. */
  open(id: string, { rule, origin, asked }: RuleOutcome, nowMs: number): void {
    if (asked === undefined) return;
    const { model, prompt, timeoutMs, fallback, choices } = asked;
    const open: RuleQuestion = {
      ...{ rule: rule.id, origin, fallback, deadlineMs: nowMs + timeoutMs + TRAVEL_MS },
      question: { id, model, prompt, timeoutMs, choices: choices.map(({ name, means }) => ({ name, means })) },
      effects: Object.fromEntries(choices.map(({ name, effects }) => [name, effects])),
    };
    this.#sql.exec("INSERT OR REPLACE INTO questions (id, body) VALUES (?, ?)", id, JSON.stringify(open));
    this.#book.ask(open);
  }

  /** In the transaction of the effects. */
  close(id: string): void {
    this.#sql.exec("DELETE FROM questions WHERE id = ?", id);
  }

  get nextDeadlineMs(): number | undefined {
    return this.#book.nextDeadlineMs;
  }

  /** Gives up what has waited too long, and asks what has not been asked. */
  proceed(nowMs: number): void {
    for (const settled of this.#book.overdue(nowMs)) this.#around.settle(settled);
    for (const { question } of this.#book.open) {
      if (this.#asking.has(question.id)) continue;
      this.#asking.add(question.id);
      void this.#ask(question);
    }
  }

  async #ask(question: Question): Promise<void> {
    try {
      const answer = await this.#around.ask(question);
      const settled = this.#book.answered(question.id, answer, Date.now());
      if (settled !== undefined) this.#around.settle(settled);
    } catch (error) {
      // The deadline settles it: whoever could not be asked now may be when something else wakes this object.
      console.warn("policy: a question could not be asked or settled", question.id, String(error));
    } finally {
      this.#asking.delete(question.id);
    }
  }
}
