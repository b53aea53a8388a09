import type { Watched } from "../../core/hosts/monitors/host-watch.ts";
import type { Presence } from "../../core/hosts/presence-tracker.ts";
import { Notes } from "../shell/notes.ts";

/** What is kept of a host. */
export interface HostRecord {
  readonly presence: Presence;
  readonly watched: Watched;
  /** JSON text of what it runs, in its own words. */
  readonly status: string | null;
}

export interface StoredHost {
  readonly record: HostRecord;
  /** When it was last heard of, as of the last time that anything about it was written. */
  readonly seenMs: number;
}

export type HostNote = "name" | "epoch" | "emitted" | "settings" | "watched";

/**
 * Tables: `hosts(host, body, seen_ms)`, a row each; `told(module)`, a row for each module that was told of; `notes`.
 * A host's row is written when something about it changes, which its being there does not.
 */
export class HostStore {
  readonly notes: Notes<HostNote>;
  readonly #sql: SqlStorage;
  /** Bodies as they are stored, to know what has changed. */
  readonly #bodies = new Map<string, string>();

  constructor(sql: SqlStorage) {
    this.#sql = sql;
    sql.exec(`
      CREATE TABLE IF NOT EXISTS hosts (host TEXT PRIMARY KEY, body TEXT NOT NULL, seen_ms INTEGER NOT NULL) WITHOUT ROWID;
      CREATE TABLE IF NOT EXISTS told (module TEXT PRIMARY KEY) WITHOUT ROWID;
    `);
    this.notes = new Notes(sql);
  }

  load(): Map<string, StoredHost> {
    this.#bodies.clear();
    const hosts = new Map<string, StoredHost>();
    for (const { host, body, seen_ms } of this.#sql.exec<{ host: string; body: string; seen_ms: number }>(
      "SELECT host, body, seen_ms FROM hosts ORDER BY host",
    )) {
      this.#bodies.set(host, body);
      hosts.set(host, { record: JSON.parse(body) as HostRecord, seenMs: seen_ms });
    }
    return hosts;
  }

  /** Writes the row if it differs from what is stored. */
  write(host: string, record: HostRecord, seenMs: number): void {
    const body = JSON.stringify(record);
    if (this.#bodies.get(host) === body) return;
    this.#sql.exec("INSERT OR REPLACE INTO hosts (host, body, seen_ms) VALUES (?, ?, ?)", host, body, seenMs);
    this.#bodies.set(host, body);
  }

  remove(host: string): void {
    this.#sql.exec("DELETE FROM hosts WHERE host = ?", host);
    this.#bodies.delete(host);
  }

  /** @returns whether the module had not been told of; it counts as told from here on */
  tellModule(key: string): boolean {
    return this.#sql.exec("INSERT OR IGNORE INTO told (module) VALUES (?)", key).rowsWritten > 0;
  }
}
