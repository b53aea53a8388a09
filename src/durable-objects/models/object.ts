import { dayOf, reserve, type Spent, settleCost, spentToday } from "../../core/models/budget.ts";
import { type Answer, costOf, highestCost, type NoAnswer, type Question } from "../../core/models/question.ts";
import { readAnswer } from "../../core/models/read-answer.ts";
import {
  type Model,
  type ModelSettings,
  type ModelSettingsAnswer,
  type ModelSettingsView,
  NO_MODELS,
  nextSettings,
  viewOf,
  type WantedModels,
} from "../../core/models/settings.ts";
import { EcosystemObject } from "../shell/ecosystem-object.ts";
import { askModel } from "./endpoint.ts";
import type { ModelReply } from "./model-reply.ts";
import type { AiBinding } from "./workers-ai.ts";

/** Questions under way at a time; each holds the object awake, and a flood of them is not worth its price. */
const MAX_RUNNING = 16;
/** Answers are known for so long: whoever asked and crashed asks again within seconds. */
const KEEP_ANSWERS_MS = 3_600_000;
/** A question that was under way when the object went down is asked so often in all. */
const MAX_ATTEMPTS = 2;

/** Bindings that the models use. */
export interface ModelsBindings {
  /** Workers AI, where the deployment has it. */
  readonly AI?: AiBinding;
}

interface AskedRow {
  [column: string]: SqlStorageValue;
  attempts: number;
  answer: string | null;
}

/**
 * Asks language models for the rules of an ecosystem (R32): holds their keys, which nobody else sees, and the budget.
 *
 * What is asked is counted before it is asked, at the highest that it may cost, so that neither a crash nor many
 * questions at once spend more than the day allows.
 */
export class Models extends EcosystemObject<ModelsBindings> {
  readonly #running = new Map<string, Promise<Answer>>();
  #settings: ModelSettings;
  #spent: Spent | undefined;

  constructor(ctx: DurableObjectState, env: ModelsBindings) {
    super(ctx, env);
    const { sql } = this;
    sql.exec("CREATE TABLE IF NOT EXISTS kept (name TEXT PRIMARY KEY, body TEXT NOT NULL) WITHOUT ROWID");
    sql.exec(
      `CREATE TABLE IF NOT EXISTS asked (id TEXT PRIMARY KEY, asked_ms INTEGER NOT NULL, attempts INTEGER NOT NULL,
         answer TEXT) WITHOUT ROWID`,
    );
    this.#settings = { ...NO_MODELS, ...this.#read<ModelSettings>("settings") };
    this.#spent = this.#read<Spent>("spent");
  }

  settings(): ModelSettingsView {
    return viewOf(this.#settings, spentToday(this.#spent, Date.now()));
  }

  /** @param wanted - checked by the API */
  changeSettings(wanted: WantedModels): ModelSettingsAnswer {
    const next = nextSettings(wanted, this.#settings);
    if (next === undefined) return { ok: false, conflict: this.#settings.version };
    this.#write("settings", next);
    this.#settings = next;
    return { ok: true, settings: viewOf(next, spentToday(this.#spent, Date.now())) };
  }

  /** Resolves when there is an answer, or none to be had; within the question's time. Never throws for what a model does. */
  ask(question: Question): Promise<Answer> {
    const running = this.#running.get(question.id);
    if (running !== undefined) return running;
    const [row] = this.sql.exec<AskedRow>("SELECT attempts, answer FROM asked WHERE id = ?", question.id);
    if (row !== undefined && row.answer !== null) return Promise.resolve(JSON.parse(row.answer) as Answer);
    const model = this.#settings.models.find(({ name }) => name === question.model);
    const attempts = row?.attempts ?? 0;
    if (!this.#settings.enabled) return none("off", "asking models is switched off");
    if (model === undefined) return none("unknown_model", `there is no model "${question.model}" in the settings`);
    if (attempts >= MAX_ATTEMPTS) return none("unreachable", "the question was broken off before");
    if (this.#running.size >= MAX_RUNNING) return none("busy", `${MAX_RUNNING} questions are under way already`);
    const nowMs = Date.now();
    const highest = highestCost(question, model);
    const spent = reserve(this.#spent, highest, this.#settings.daily, nowMs);
    if (spent === undefined) return none("budget", "the day's budget does not reach for the question");
    this.ctx.storage.transactionSync(() => {
      this.sql.exec(
        "INSERT OR REPLACE INTO asked (id, asked_ms, attempts, answer) VALUES (?, ?, ?, NULL)",
        question.id,
        nowMs,
        attempts + 1,
      );
      this.sql.exec("DELETE FROM asked WHERE asked_ms < ?", nowMs - KEEP_ANSWERS_MS);
      this.#write("spent", spent);
    });
    this.#spent = spent;
    const answering = this.#ask(question, model, highest, nowMs).finally(() => this.#running.delete(question.id));
    this.#running.set(question.id, answering);
    return answering;
  }

  async #ask(question: Question, model: Model, reservedUsd: number, startMs: number): Promise<Answer> {
    // The question must be on the disk before it is asked: it is paid for, and must be counted whatever happens.
    await this.ctx.storage.sync();
    const heard = await askModel(model, question, this.env.AI);
    const answer = { ...judge(heard, question, model, reservedUsd), duration_ms: Date.now() - startMs };
    const spent = settleCost(
      this.#spent ?? spentToday(undefined, startMs),
      dayOf(startMs),
      reservedUsd,
      answer.cost_usd,
    );
    this.ctx.storage.transactionSync(() => {
      this.sql.exec("UPDATE asked SET answer = ? WHERE id = ?", JSON.stringify(answer), question.id);
      this.#write("spent", spent);
    });
    this.#spent = spent;
    return answer;
  }

  #read<Kept>(name: string): Kept | undefined {
    const [row] = this.sql.exec<{ body: string }>("SELECT body FROM kept WHERE name = ?", name);
    return row === undefined ? undefined : (JSON.parse(row.body) as Kept);
  }

  #write(name: string, body: unknown): void {
    this.sql.exec("INSERT OR REPLACE INTO kept (name, body) VALUES (?, ?)", name, JSON.stringify(body));
  }
}

/** What the provider does not count costs what was reserved: nobody can say that it was less. */
function judge(heard: ModelReply, question: Question, model: Model, reservedUsd: number): Omit<Answer, "duration_ms"> {
  // A question that was refused by its status was not worked on; one that was broken off may have been.
  if (!heard.ok) {
    const cost = heard.why === "refused" ? 0 : reservedUsd;
    return { choice: null, failure: heard.why, detail: heard.detail, cost_usd: cost, tokens_in: 0, tokens_out: 0 };
  }
  const { text, tokens } = heard;
  const counted = { tokens_in: tokens?.in ?? 0, tokens_out: tokens?.out ?? 0 };
  const cost = { ...counted, cost_usd: tokens === undefined ? reservedUsd : costOf(tokens, model) };
  const reading = readAnswer(text, question);
  if (!reading.ok) return { choice: null, failure: "nonsense", detail: reading.detail, ...cost };
  return { choice: reading.choice, ...(reading.reason === undefined ? {} : { reason: reading.reason }), ...cost };
}

async function none(failure: NoAnswer, detail: string): Promise<Answer> {
  return { choice: null, failure, detail, cost_usd: 0, tokens_in: 0, tokens_out: 0, duration_ms: 0 };
}
