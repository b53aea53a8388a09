import type { Author } from "../../core/access/author.ts";
import {
  type Budget,
  budgetView,
  inMonth,
  leavesOut,
  newBudget,
  StoredBudget,
  withSpent,
} from "../../core/billing/budget.ts";
import type { AppendOutcome, AppendRequest } from "../../core/signals/api.ts";
import type { NewSignal } from "../../core/signals/signal.ts";
import { readableOr } from "../shell/readable-rows.ts";
import { logSignal } from "./log-signal.ts";

/** What changes a budget: its amount, or what was spent by a time. */
export type BudgetChange =
  | { readonly monthly_usd: number | null; readonly by: Author }
  | { readonly spent_usd: number; readonly at_ms: number };

type Answer = (outcome: AppendOutcome) => void;

/** Of the log's writer. */
interface Writer {
  readonly epoch: string;
  append(request: AppendRequest, answer: Answer): void;
}

/** Between two writes of the count of observations that were left out: each is a row. */
const COUNT_EVERY_MS = 60_000;
/** A host sends what was not confirmed again within this time, if at all: the retention of no log is longer than that of its spool. */
const REMEMBER_MS = 31 * 86_400_000;

/**
 * The budget of an ecosystem. Above it, observations are sampled where they come in; other signals, and what the edge itself
 * appends, never are. Table `budget`: one row, once there is a budget.
 */
export class LogBudget {
  readonly #sql: SqlStorage;
  readonly #writer: Writer;
  #stored: StoredBudget;
  #countedMs = 0;

  constructor(sql: SqlStorage, writer: Writer) {
    this.#sql = sql;
    this.#writer = writer;
    sql.exec("CREATE TABLE IF NOT EXISTS budget (one INTEGER PRIMARY KEY, body TEXT NOT NULL)");
    const [row] = sql.exec<{ body: string }>("SELECT body FROM budget").toArray();
    const none = newBudget(Date.now());
    this.#stored =
      row === undefined ? none : readableOr("budget", row.body, (text) => StoredBudget.parse(JSON.parse(text)), none);
  }

  view(nowMs: number): Budget {
    return budgetView(this.#stored, nowMs);
  }

  change(change: BudgetChange | undefined, nowMs: number): Budget {
    if (change === undefined) return this.view(nowMs);
    if ("by" in change) this.#set(change.monthly_usd, change.by, nowMs);
    else this.#spent(change.spent_usd, change.at_ms);
    return this.view(nowMs);
  }

  /** Adds what the budget leaves of a request. */
  admit(request: AppendRequest, answer: Answer, add: (request: AppendRequest, answer: Answer) => void): void {
    // What the edge appends itself are decisions, and what it finds out.
    if (this.#stored.monthly_usd === null || request.owner === undefined) return add(request, answer);
    const nowMs = Date.now();
    if (!leavesOut(this.#stored, nowMs)) return add(request, answer);
    add({ ...request, leaveOut: true }, (outcome) => {
      if ("accepted" in outcome && outcome.left_out !== undefined) this.#leftOut(outcome.left_out, nowMs);
      answer(outcome);
    });
  }

  /** Whether a signal may be missing in the log although its number was confirmed: it is none of another sender's then. */
  readonly mayMiss = ({ signal }: NewSignal): boolean => {
    const { left_out_ms } = this.#stored;
    return signal === "OBSERVATION" && left_out_ms !== null && Date.now() - left_out_ms < REMEMBER_MS;
  };

  #leftOut(count: number, nowMs: number): void {
    const present = inMonth(this.#stored, nowMs);
    this.#stored = { ...present, left_out: present.left_out + count, left_out_ms: nowMs };
    if (nowMs - this.#countedMs < COUNT_EVERY_MS) return;
    this.#countedMs = nowMs;
    this.#save();
  }

  #set(monthly_usd: number | null, { id, name }: Author, nowMs: number): void {
    const before = this.#stored.monthly_usd;
    if (before === monthly_usd) return;
    this.#stored = { ...inMonth(this.#stored, nowMs), monthly_usd };
    this.#save();
    const facts = { monthly_usd, before_usd: before, by: name, by_id: id };
    this.#writer.append({ signals: [logSignal("ganglion.budget.changed", facts)] }, () => undefined);
  }

  #spent(spentUsd: number, atMs: number): void {
    const { budget, warn } = withSpent(this.#stored, spentUsd, atMs);
    this.#stored = budget;
    this.#save();
    if (!warn) return;
    const { month, monthly_usd, spent_usd } = budget;
    // Numbered by the month: should the object end before it has stored that it warned, the log drops the repetition.
    const producer = { name: `ganglion.budget.${this.#writer.epoch}`, first: numberOf(month) };
    const facts = { month, monthly_usd, spent_usd, share: spent_usd / (monthly_usd ?? spent_usd) };
    this.#writer.append({ producer, signals: [logSignal("ganglion.budget.warned", facts)] }, (outcome) => {
      if (!("accepted" in outcome)) return; // The next count of what is spent warns.
      this.#stored = { ...this.#stored, warned_month: month };
      this.#save();
    });
  }

  #save(): void {
    this.#sql.exec("INSERT OR REPLACE INTO budget (one, body) VALUES (1, ?)", JSON.stringify(this.#stored));
  }
}

/** Months count on from year to year. */
const numberOf = (month: string): number => Number(month.slice(0, 4)) * 12 + Number(month.slice(5, 7));
