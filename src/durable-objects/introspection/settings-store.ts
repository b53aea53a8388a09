import { readableOr } from "../shell/readable-rows.ts";
/** Settings, and other state that must survive a restart besides observations and gaps: one row each, as JSON. */
export class SettingsStore {
  readonly #sql: SqlStorage;

  constructor(sql: SqlStorage) {
    this.#sql = sql;
    sql.exec("CREATE TABLE IF NOT EXISTS settings (name TEXT PRIMARY KEY, body TEXT NOT NULL) WITHOUT ROWID");
  }

  save(name: string, value: unknown): void {
    this.#sql.exec("INSERT OR REPLACE INTO settings (name, body) VALUES (?, ?)", name, JSON.stringify(value));
  }

  read(name: string): unknown {
    const [row] = this.#sql.exec<{ body: string }>("SELECT body FROM settings WHERE name = ?", name);
    return readableOr<unknown>(`the setting ${name}`, row?.body, JSON.parse, undefined);
  }
}
