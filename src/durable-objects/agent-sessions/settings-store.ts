import {
  changedSettings,
  type Feed,
  limitsBy,
  OwnSessionSettings,
  type SessionSettings,
  type SessionSettingsChange,
  settingsView,
} from "../../core/agent-sessions/settings.ts";
import type { SessionLimits } from "../../core/agent-sessions/verdict.ts";
import { readableOr } from "../shell/readable-rows.ts";

/** Table: `session_settings(one, body)`, one row, made with the first change: most ecosystems have none. */
export class SessionSettingsStore {
  readonly #sql: SqlStorage;
  readonly #deployment: SessionLimits;
  #own: OwnSessionSettings;

  /** @param deployment - what holds where the ecosystem has no value of its own */
  constructor(sql: SqlStorage, deployment: SessionLimits) {
    this.#sql = sql;
    this.#deployment = deployment;
    this.#own = this.#read();
  }

  get limits(): SessionLimits {
    return limitsBy(this.#own, this.#deployment);
  }

  get view(): SessionSettings {
    return settingsView(this.limits, this.feeds, this.#deployment);
  }

  /** Which limits the use of models is charged to. */
  get feeds(): readonly Feed[] {
    return this.#own.feeds ?? [];
  }

  change(change: SessionSettingsChange): void {
    const own = changedSettings(this.#own, change);
    this.#sql.exec(
      "CREATE TABLE IF NOT EXISTS session_settings (one INTEGER PRIMARY KEY CHECK (one = 1), body TEXT NOT NULL)",
    );
    this.#sql.exec("INSERT OR REPLACE INTO session_settings (one, body) VALUES (1, ?)", JSON.stringify(own));
    this.#own = own;
  }

  #read(): OwnSessionSettings {
    const there = this.#sql.exec("SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'session_settings'");
    if (there.toArray().length === 0) return {};
    const [row] = this.#sql.exec<{ body: string }>("SELECT body FROM session_settings");
    return readableOr("settings of sessions", row?.body, (text) => OwnSessionSettings.parse(JSON.parse(text)), {});
  }
}
