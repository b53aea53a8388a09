import { dayOf } from "../../core/billing/usage-days.ts";
import { modelSamples } from "../../core/metrics/samples.ts";
import { type ModelSettingsAnswer, type ModelSettingsView, viewOf } from "../../core/models/api.ts";
import { reserve, Spending, settleCost, spendingToday } from "../../core/models/budget.ts";
import { Answer, type AnswerFailure, costOf, highestCost, type Question } from "../../core/models/question.ts";
import { readAnswer } from "../../core/models/read-answer.ts";
import {
  isPrivateEndpoint,
  type Model,
  type ModelSettings,
  type NewModelSettings,
  NO_MODELS,
  nextSettings,
  PRIVATE_ENDPOINT,
  readStoredSettings,
} from "../../core/models/settings.ts";
import { allowsPrivate } from "../../core/wire/network-address.ts";
import { ConnectionPlaces } from "../shell/connection-places.ts";
import { EcosystemObject } from "../shell/ecosystem-object.ts";
import { PLATFORM } from "../shell/platform-limits.ts";
import { readableOr } from "../shell/readable-rows.ts";
import type { Schema } from "../shell/schema.ts";
import { withoutModelKeys } from "./copy.ts";
import { askModel } from "./endpoint.ts";
import { modelsErasure } from "./erasure.ts";
import type { ModelReply } from "./model-reply.ts";
import type { AiBinding } from "./workers-ai.ts";

/** Questions under way at a time: the connections that the runtime opens for an object. */
const MAX_RUNNING = PLATFORM.connections;
/** Questions that may wait for their turn. */
const MAX_WAITING = 64;
/** How long answers are stored: a caller that crashed asks again within seconds. */
const KEEP_ANSWERS_MS = 3_600_000;
/** How often a question is asked that was under way when the object stopped. */
const MAX_ATTEMPTS = 2;

/** Bindings of the models. */
export interface ModelsBindings {
  /** Workers AI, where the deployment has it. */
  readonly AI?: AiBinding;
  /** `"true"`: models may be asked at private addresses. */
  readonly WEBHOOKS_ALLOW_PRIVATE?: string;
}

interface AskedRow {
  [column: string]: SqlStorageValue;
  attempts: number;
  answer: string | null;
}

/**
 * Asks language models for the rules of an ecosystem. Holds their keys, which leave this object for no other, and the
 * budget.
 *
 * The highest possible cost of a question is counted before it is asked, so that neither a crash nor concurrent questions
 * exceed the daily budget.
 */
export class Models extends EcosystemObject<ModelsBindings> {
  static override readonly schema: Schema = { of: "Models", steps: [], copy: withoutModelKeys, erasure: modelsErasure };

  /** Answers that are not there yet, of waiting questions too. */
  readonly #running = new Map<string, Promise<Answer>>();
  readonly #places = new ConnectionPlaces(MAX_RUNNING, MAX_WAITING);
  #settings: ModelSettings;
  #spent: Spending | undefined;

  constructor(ctx: DurableObjectState, env: ModelsBindings) {
    super(ctx, env);
    const { sql } = this;
    sql.exec("CREATE TABLE IF NOT EXISTS kept (name TEXT PRIMARY KEY, body TEXT NOT NULL) WITHOUT ROWID");
    sql.exec(
      `CREATE TABLE IF NOT EXISTS asked (id TEXT PRIMARY KEY, asked_ms INTEGER NOT NULL, attempts INTEGER NOT NULL,
         answer TEXT) WITHOUT ROWID`,
    );
    const settings = this.#read("settings");
    const spent = this.#read("spent");
    this.#settings = readableOr("settings of models", settings, readStoredSettings, NO_MODELS);
    this.reports.of(() => ({ samples: modelSamples(this.settings()), folded: 0 }));
    this.#spent = readableOr("spending on models", spent, (text) => Spending.parse(JSON.parse(text)), undefined);
  }

  settings(): ModelSettingsView {
    return viewOf(this.#settings, spendingToday(this.#spent, Date.now()));
  }

  /** @param change - checked by the API */
  changeSettings(change: NewModelSettings): ModelSettingsAnswer {
    const next = nextSettings(change, this.#settings);
    if (next === undefined) return { ok: false, conflict: this.#settings.version };
    this.#write("settings", next);
    this.#settings = next;
    return { ok: true, settings: viewOf(next, spendingToday(this.#spent, Date.now())) };
  }

  /** Resolves with the answer, or the reason why there is none, within the question's time. Never throws for a model's fault. */
  ask(question: Question): Promise<Answer> {
    const running = this.#running.get(question.id);
    if (running !== undefined) return running;
    const [row] = this.sql.exec<AskedRow>("SELECT attempts, answer FROM asked WHERE id = ?", question.id);
    if (row !== undefined && row.answer !== null) return Promise.resolve(Answer.parse(JSON.parse(row.answer)));
    const attempts = row?.attempts ?? 0;
    if (attempts >= MAX_ATTEMPTS) return noAnswer("unreachable", "the question was interrupted before");
    const answering = this.#askInTurn(question, attempts).finally(() => this.#running.delete(question.id));
    this.#running.set(question.id, answering);
    return answering;
  }

  /**
   * Waits for a place, for the question's time at most. Nothing is counted for a question that got none. The model has the
   * question's whole time from when it is asked: a model that was given the rest of it would time out and be paid.
   */
  async #askInTurn(question: Question, attempts: number): Promise<Answer> {
    const asked = this.#modelOf(question);
    if ("choice" in asked) return asked;
    const startMs = Date.now();
    const busy = `${MAX_RUNNING} questions are under way already, and none ended in time`;
    if (!(await this.#places.take(question.timeoutMs))) return noAnswer("busy", busy);
    try {
      // The settings may have changed while the question waited.
      const model = this.#modelOf(question);
      if ("choice" in model) return model;
      return await this.#reserveAndAsk(question, model, attempts, startMs);
    } finally {
      this.#places.release();
    }
  }

  /** The model of a question, or the answer where it cannot be asked. */
  #modelOf(question: Question): Model | Answer {
    if (!this.#settings.enabled) return unanswered("off", "asking models is disabled");
    const model = this.#settings.models.find(({ name }) => name === question.model);
    if (model === undefined) return unanswered("unknown_model", `no model "${question.model}" in the settings`);
    // The settings may be older than the rule, or the permission was withdrawn.
    if (model.kind === "openai" && !allowsPrivate(this.env.WEBHOOKS_ALLOW_PRIVATE) && isPrivateEndpoint(model.url))
      return unanswered("unreachable", PRIVATE_ENDPOINT);
    return model;
  }

  #reserveAndAsk(question: Question, model: Model, attempts: number, startMs: number): Promise<Answer> {
    const nowMs = Date.now();
    const highest = highestCost(question, model);
    const spent = reserve(this.#spent, highest, this.#settings.daily, nowMs);
    if (spent === undefined) return noAnswer("budget", "the daily budget does not cover the question");
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
    return this.#ask(question, model, { reservedUsd: highest, reservedMs: nowMs, startMs });
  }

  async #ask(
    question: Question,
    model: Model,
    { reservedUsd, reservedMs, startMs }: { reservedUsd: number; reservedMs: number; startMs: number },
  ): Promise<Answer> {
    // The question must be stored before it is asked: asking costs money, which a crash must not leave uncounted.
    await this.ctx.storage.sync();
    const reply = await askModel(model, question, this.env.AI, this.outgoing);
    const answer = { ...answerOf(reply, question, model, reservedUsd), duration_ms: Date.now() - startMs };
    const spent = settleCost(
      this.#spent ?? spendingToday(undefined, reservedMs),
      dayOf(reservedMs),
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

  #read(name: string): string | undefined {
    const [row] = this.sql.exec<{ body: string }>("SELECT body FROM kept WHERE name = ?", name);
    return row?.body;
  }

  #write(name: string, body: unknown): void {
    this.sql.exec("INSERT OR REPLACE INTO kept (name, body) VALUES (?, ?)", name, JSON.stringify(body));
  }
}

/** Without a count of tokens the reserved amount is the cost: the actual one is unknown. */
function answerOf(
  reply: ModelReply,
  question: Question,
  model: Model,
  reservedUsd: number,
): Omit<Answer, "duration_ms"> {
  // A refused question was not processed by the model; an interrupted one may have been.
  if (!reply.ok) {
    const cost = reply.why === "refused" ? 0 : reservedUsd;
    return { choice: null, failure: reply.why, detail: reply.detail, cost_usd: cost, tokens_in: 0, tokens_out: 0 };
  }
  const { text, tokens } = reply;
  const counted = { tokens_in: tokens?.in ?? 0, tokens_out: tokens?.out ?? 0 };
  const cost = { ...counted, cost_usd: tokens === undefined ? reservedUsd : costOf(tokens, model) };
  const reading = readAnswer(text, question);
  if (!reading.ok) return { choice: null, failure: "nonsense", detail: reading.detail, ...cost };
  return { choice: reading.choice, ...(reading.reason === undefined ? {} : { reason: reading.reason }), ...cost };
}

const noAnswer = async (failure: AnswerFailure, detail: string): Promise<Answer> => unanswered(failure, detail);

function unanswered(failure: AnswerFailure, detail: string): Answer {
  return { choice: null, failure, detail, cost_usd: 0, tokens_in: 0, tokens_out: 0, duration_ms: 0 };
}
