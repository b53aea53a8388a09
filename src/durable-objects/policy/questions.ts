import type { Answer, Question } from "../../core/models/question.ts";
import type { WantedContext } from "../../core/policy/ask-context.ts";
import type { Effect } from "../../core/policy/effect.ts";
import type { GatheredContext } from "../../core/policy/gathered-context.ts";
import { QuestionTracker } from "../../core/policy/question-tracker.ts";
import type { RuleOutcome } from "../../core/policy/rule-outcome.ts";
import type { RuleQuestion, SettledRuleQuestion } from "../../core/policy/rule-question.ts";
import { readStoredQuestion } from "../../core/policy/stored.ts";
import { traceOf } from "../../core/signals/trace.ts";
import { decisionKey } from "../../core/telemetry/decision-spans.ts";
import { logLine } from "../shell/log-line.ts";
import { readableRows } from "../shell/readable-rows.ts";

/** Time beyond the question's own, for the calls to the object of models and back, in milliseconds. */
const TRAVEL_MS = 1_000;
/** The model has the question's time, and the question may wait as long before until one of six others has ended. */
const WAITING_SHARE = 2;

interface QuestionPorts {
  ask(question: Question): Promise<Answer>;
  gather(wanted: WantedContext, before: { readonly seq: number; readonly id: string }): Promise<GatheredContext>;
  /** Enqueues the effects of the settled question and deletes its row, in one transaction. */
  settle(settled: SettledRuleQuestion): void;
}

/**
 * Questions that wait for an answer: a row each, written with the decision that asks and deleted with the effects of
 * the answer. A question is asked between the two, after a restart once more: the object of models knows it by its id.
 */
export class Questions {
  readonly #sql: SqlStorage;
  readonly #ports: QuestionPorts;
  readonly #tracker = new QuestionTracker<Effect, RuleQuestion>();
  readonly #asking = new Set<string>();

  constructor(sql: SqlStorage, ports: QuestionPorts) {
    this.#sql = sql;
    this.#ports = ports;
    sql.exec("CREATE TABLE IF NOT EXISTS questions (id TEXT PRIMARY KEY, body TEXT NOT NULL) WITHOUT ROWID");
  }

  /** Loads the open questions from the store. */
  load(): void {
    const rows = this.#sql.exec<{ body: string }>("SELECT body FROM questions");
    this.#tracker.restore(readableRows("open questions", rows, ({ body }) => readStoredQuestion(body)));
  }

  /** Call it in the transaction of the decision. */
  open(id: string, { rule, origin, question }: RuleOutcome, nowMs: number): void {
    if (question === undefined) return;
    const { model, prompt, context, timeoutMs, fallback, choices } = question;
    const open: RuleQuestion = {
      rule: rule.id,
      origin,
      ...(context === undefined ? {} : { wanted: context }),
      fallback,
      deadlineMs: nowMs + WAITING_SHARE * timeoutMs + TRAVEL_MS,
      question: { id, model, prompt, timeoutMs, choices: choices.map(({ name, means }) => ({ name, means })) },
      effects: Object.fromEntries(choices.map(({ name, effects }) => [name, effects])),
    };
    this.#write(open);
  }

  /** Call it in the transaction of the effects. */
  close(id: string): void {
    this.#sql.exec("DELETE FROM questions WHERE id = ?", id);
  }

  get nextDeadlineMs(): number | undefined {
    return this.#tracker.nextDeadlineMs;
  }

  /** Settles the questions whose deadline has passed, and asks those that are not being asked. */
  proceed(nowMs: number): void {
    for (const settled of this.#tracker.expire(nowMs)) this.#ports.settle(settled);
    for (const open of this.#tracker.open) {
      const { id } = open.question;
      if (this.#asking.has(id)) continue;
      this.#asking.add(id);
      void this.#ask(open);
    }
  }

  async #ask(open: RuleQuestion): Promise<void> {
    const { question } = open;
    try {
      const context = await this.#contextOf(open);
      const trace = traceOf(decisionKey(open.rule, open.origin.id, "signal"), open.origin);
      const told = context === undefined ? {} : { context: context.text };
      const answer = await this.#ports.ask({ ...question, ...told, trace });
      const settled = this.#tracker.answer(question.id, answer, Date.now());
      if (settled !== undefined) this.#ports.settle(settled);
    } catch (error) {
      // The deadline settles the question; until then it is asked again when anything wakes this object.
      logLine("warn", "question-not-settled", { object: "policy", question: question.id, error });
    } finally {
      this.#asking.delete(question.id);
    }
  }

  /** What the model is told. It is stored before the question is asked: asked again, it is the same question. */
  async #contextOf(open: RuleQuestion): Promise<GatheredContext | undefined> {
    const { wanted, context: known, origin, question } = open;
    if (wanted === undefined || known !== undefined) return known;
    const context = await this.#ports.gather(wanted, { seq: origin.seq, id: question.id });
    // The time may have been over meanwhile, and the question settled.
    if (this.#tracker.open.includes(open)) this.#write({ ...open, context });
    return context;
  }

  #write(open: RuleQuestion): void {
    const body = JSON.stringify(open);
    this.#sql.exec("INSERT OR REPLACE INTO questions (id, body) VALUES (?, ?)", open.question.id, body);
    this.#tracker.ask(open);
  }
}
