import { Session } from "../../core/agent-sessions/session.ts";
import { pruneDeep } from "../../core/json/prune-deep.ts";
import { readableRows } from "../shell/readable-rows.ts";

interface Row {
  [column: string]: SqlStorageValue;
  key: string;
  body: string;
}

/** Table: `agent_sessions(key, body)`, a row for each session, made with the first of them: most ecosystems have none. */
export class SessionStore {
  readonly #sql: SqlStorage;

  constructor(sql: SqlStorage) {
    this.#sql = sql;
  }

  *all(): Generator<[key: string, session: Session]> {
    if (!this.#isThere) return;
    const rows = this.#sql.exec<Row>("SELECT key, body FROM agent_sessions");
    yield* readableRows("sessions of agents", rows, ({ key, body }): [string, Session] => [
      key,
      Session.parse(pruneDeep(JSON.parse(body))),
    ]);
  }

  write(key: string, session: Session): void {
    this.#sql.exec(
      "CREATE TABLE IF NOT EXISTS agent_sessions (key TEXT PRIMARY KEY, body TEXT NOT NULL) WITHOUT ROWID",
    );
    this.#sql.exec("INSERT OR REPLACE INTO agent_sessions (key, body) VALUES (?, ?)", key, JSON.stringify(session));
  }

  remove(key: string): void {
    if (this.#isThere) this.#sql.exec("DELETE FROM agent_sessions WHERE key = ?", key);
  }

  clear(): void {
    if (this.#isThere) this.#sql.exec("DELETE FROM agent_sessions");
  }

  get #isThere(): boolean {
    const found = this.#sql.exec("SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'agent_sessions'");
    return found.toArray().length > 0;
  }
}
