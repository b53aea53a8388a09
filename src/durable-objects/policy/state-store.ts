import type { StateMutation, StateRow } from "../../core/policy/state.ts";
import { readStoredState } from "../../core/policy/stored.ts";
import { readableRows } from "../shell/readable-rows.ts";
import type { LateExpectations } from "./late-expectations.ts";

const UNHEARD = "unheard/";

/** State of the rules, and notes of their projection: a row each, written only when it changes. */
export class StateStore {
  readonly #sql: SqlStorage;
  readonly #late: Pick<LateExpectations, "changed">;

  constructor(sql: SqlStorage, late: Pick<LateExpectations, "changed">) {
    this.#sql = sql;
    this.#late = late;
    sql.exec(
      `CREATE TABLE IF NOT EXISTS rule_state (kind TEXT, rule TEXT, key TEXT, body TEXT NOT NULL,
         PRIMARY KEY (kind, rule, key)) WITHOUT ROWID`,
    );
    sql.exec("CREATE TABLE IF NOT EXISTS notes (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID");
  }

  write(mutations: readonly StateMutation[]): void {
    this.#late.changed(mutations);
    for (const { kind, rule, key, body } of mutations) {
      if (body === null) {
        this.#sql.exec("DELETE FROM rule_state WHERE kind = ? AND rule = ? AND key = ?", kind, rule, key);
      } else {
        const text = JSON.stringify(body);
        this.#sql.exec("INSERT OR REPLACE INTO rule_state VALUES (?, ?, ?, ?)", kind, rule, key, text);
      }
    }
  }

  *rows(): Generator<StateRow> {
    const rows = this.#sql.exec<{ kind: string; rule: string; key: string; body: string }>("SELECT * FROM rule_state");
    yield* readableRows("policy state", rows, ({ body, ...row }) => readStoredState(row, body));
  }

  clear(): void {
    this.#sql.exec("DELETE FROM rule_state");
  }

  /** Counts an optional message whose endpoint does not exist. */
  countUnheard(endpoint: string): void {
    this.#sql.exec(
      `INSERT INTO notes VALUES (?, '1')
         ON CONFLICT (name) DO UPDATE SET value = CAST(CAST(value AS INTEGER) + 1 AS TEXT)`,
      `${UNHEARD}${endpoint}`,
    );
  }

  /** How many optional messages reached nobody, by endpoint. */
  unheard(): { endpoint: string; messages: number }[] {
    return this.#sql
      .exec<{ name: string; value: string }>(
        "SELECT name, value FROM notes WHERE name GLOB ? ORDER BY name",
        `${UNHEARD}*`,
      )
      .toArray()
      .map(({ name, value }) => ({ endpoint: name.slice(UNHEARD.length), messages: Number(value) }));
  }

  note(name: string): string | undefined {
    return [...this.#sql.exec<{ value: string }>("SELECT value FROM notes WHERE name = ?", name)][0]?.value;
  }

  setNote(name: string, value: string): void {
    this.#sql.exec("INSERT OR REPLACE INTO notes VALUES (?, ?)", name, value);
  }
}
