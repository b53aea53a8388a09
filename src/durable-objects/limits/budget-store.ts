import type { CounterLedger } from "../../core/limits/budgets/budget-machine.ts";
import { Counter, forgottenAtMs, LEVELS } from "../../core/limits/budgets/counter.ts";
import { BudgetInput, MAX_SUBJECTS } from "../../core/limits/budgets/settings.ts";
import type { StoredBudget } from "../../core/limits/budgets/view.ts";
import type { Charge } from "../../core/limits/state.ts";
import { readableOr, readableRows } from "../shell/readable-rows.ts";

interface Row extends Record<string, SqlStorageValue> {
  name: string;
  settings: string;
  counters: number;
  created_ms: number;
  changed_ms: number;
}

/** Counters that are forgotten together, where there is no room for another. */
const FORGOTTEN_AT_ONCE = 100;

/**
 * The budgets of an ecosystem, and what was used of each. Nothing of it is held in memory.
 *
 * Tables: `budgets(name, counters, created_ms, changed_ms, settings)`, where `counters` is how many rows of
 * `budget_counters(budget, day, subject, level, due_ms, body)` it has; `level` is 0 to 2, and `due_ms` is when one may be forgotten.
 */
export class BudgetStore {
  readonly #sql: SqlStorage;

  constructor(sql: SqlStorage) {
    this.#sql = sql;
    sql.exec(
      `CREATE TABLE IF NOT EXISTS budgets (name TEXT PRIMARY KEY, counters INTEGER NOT NULL, created_ms INTEGER NOT NULL,
         changed_ms INTEGER NOT NULL, settings TEXT NOT NULL) WITHOUT ROWID`,
    );
    sql.exec(
      `CREATE TABLE IF NOT EXISTS budget_counters (budget TEXT NOT NULL, day INTEGER NOT NULL, subject TEXT NOT NULL,
         level INTEGER NOT NULL, due_ms INTEGER NOT NULL, body TEXT NOT NULL, PRIMARY KEY (budget, day, subject)) WITHOUT ROWID`,
    );
    // Rows of counters that nobody has to be told of have no entry here: a reservation writes one row for each budget.
    sql.exec("CREATE INDEX IF NOT EXISTS budget_levels ON budget_counters (level) WHERE level > 0");
  }

  /** By name. */
  get all(): StoredBudget[] {
    return this.#read("SELECT * FROM budgets ORDER BY name");
  }

  get count(): number {
    return this.#sql.exec<{ count: number }>("SELECT count(*) AS count FROM budgets").one().count;
  }

  read(name: string): StoredBudget | undefined {
    return this.#read("SELECT * FROM budgets WHERE name = ?", name)[0];
  }

  write({ name, settings, counters, createdMs, changedMs }: StoredBudget): void {
    this.#sql.exec(
      `INSERT INTO budgets (name, counters, created_ms, changed_ms, settings) VALUES (?1, ?2, ?3, ?4, ?5)
         ON CONFLICT (name) DO UPDATE SET changed_ms = ?4, settings = ?5`,
      ...[name, counters, createdMs, changedMs, JSON.stringify(settings)],
    );
  }

  delete(name: string): void {
    this.#sql.exec("DELETE FROM budgets WHERE name = ?", name);
    this.forgetCounters(name);
  }

  /** What was used counts no more: the budget counts others from now on. */
  forgetCounters(name: string): void {
    this.#sql.exec("DELETE FROM budget_counters WHERE budget = ?", name);
    this.#sql.exec("UPDATE budgets SET counters = 0 WHERE name = ?", name);
  }

  ledger(nowMs: number): CounterLedger {
    return {
      read: (charge) => this.#counter(charge),
      hasRoom: (budget) => this.#hasRoom(budget, nowMs),
      write: (counter) => this.writeCounter(counter),
    };
  }

  writeCounter(counter: Counter): void {
    const { budget, day, subject, level } = counter;
    const isNew =
      this.#sql
        .exec("SELECT 1 FROM budget_counters WHERE budget = ? AND day = ? AND subject = ?", budget, day, subject)
        .toArray().length === 0;
    this.#sql.exec(
      `INSERT INTO budget_counters (budget, day, subject, level, due_ms, body) VALUES (?1, ?2, ?3, ?4, ?5, ?6)
         ON CONFLICT (budget, day, subject) DO UPDATE SET level = ?4, due_ms = ?5, body = ?6`,
      ...[budget, day, subject, LEVELS.indexOf(level), forgottenAtMs(counter), JSON.stringify(counter)],
    );
    if (isNew) this.#sql.exec("UPDATE budgets SET counters = counters + 1 WHERE name = ?", budget);
  }

  /** Those of a day, or of one subject, the furthest used first. */
  used(budget: string, day: number, most: number, subject?: string): Counter[] {
    if (subject !== undefined) return [this.#counter({ budget, day, subject })].filter((found) => found !== undefined);
    return this.#counters(
      `SELECT body FROM budget_counters WHERE budget = ? AND day = ?
         ORDER BY level DESC, json_extract(body, '$.nanos') DESC, json_extract(body, '$.tokens') DESC, subject LIMIT ?`,
      ...[budget, day, most],
    );
  }

  /** All of a day. */
  present(budget: string, day: number): Counter[] {
    return this.#counters("SELECT body FROM budget_counters WHERE budget = ? AND day = ?", budget, day);
  }

  /** Those of which somebody was told, whose day is not over; those that are spent first. */
  told(nowMs: number, most: number): Counter[] {
    return this.#counters(
      `SELECT body FROM budget_counters WHERE level > 0 AND coalesce(json_extract(body, '$.untilMs'), ?1 + 1) > ?1
         ORDER BY level DESC, budget, day, subject LIMIT ?2`,
      ...[nowMs, most],
    );
  }

  #hasRoom(budget: string, nowMs: number): boolean {
    const count = this.read(budget)?.counters ?? 0;
    if (count < MAX_SUBJECTS) return true;
    const over = "SELECT day, subject FROM budget_counters WHERE budget = ? AND due_ms <= ? ORDER BY due_ms LIMIT ?";
    const rows = this.#sql.exec<{ day: number; subject: string }>(over, budget, nowMs, FORGOTTEN_AT_ONCE).toArray();
    for (const { day, subject } of rows)
      this.#sql.exec("DELETE FROM budget_counters WHERE budget = ? AND day = ? AND subject = ?", budget, day, subject);
    this.#sql.exec("UPDATE budgets SET counters = counters - ?2 WHERE name = ?1", budget, rows.length);
    return rows.length > 0;
  }

  #counter({ budget, day, subject }: Charge): Counter | undefined {
    const select = "SELECT body FROM budget_counters WHERE budget = ? AND day = ? AND subject = ?";
    const [row] = this.#sql.exec<{ body: string }>(select, budget, day, subject).toArray();
    return readableOr("a counter of a budget", row?.body, (text) => Counter.parse(JSON.parse(text)), undefined);
  }

  #counters(statement: string, ...values: SqlStorageValue[]): Counter[] {
    const rows = this.#sql.exec<{ body: string }>(statement, ...values).toArray();
    const read = ({ body }: { body: string }) => Counter.parse(JSON.parse(body));
    return [...readableRows("a counter of a budget", rows, read, () => undefined)];
  }

  #read(statement: string, ...values: SqlStorageValue[]): StoredBudget[] {
    const rows = this.#sql.exec<Row>(statement, ...values).toArray();
    const read = ({ name, settings, counters, created_ms, changed_ms }: Row) => ({
      name,
      settings: BudgetInput.parse(JSON.parse(settings)),
      counters,
      createdMs: created_ms,
      changedMs: changed_ms,
    });
    return [...readableRows("a budget", rows, read, () => undefined)];
  }
}
