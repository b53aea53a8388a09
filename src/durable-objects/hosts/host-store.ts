import { type HostRecord, readStoredHost } from "../../core/hosts/host-record.ts";
import { Notes } from "../shell/notes.ts";
import { readableRows } from "../shell/readable-rows.ts";

export interface StoredHost {
  readonly record: HostRecord;
  /** When the host last gave a sign of life, as of the last write of its row. In milliseconds since the epoch. */
  readonly seenMs: number;
}

export type HostNote = "epoch" | "emitted" | "settings" | "watched" | "restarts";

/**
 * Tables: `hosts(host, body, seen_ms)`, one row for each host; `told(module)`, one row for each module that was
 * reported; `notes`. The row of a host is written when its record changes; a sign of life alone does not change it.
 */
export class HostStore {
  readonly notes: Notes<HostNote>;
  readonly #sql: SqlStorage;
  /** Stored bodies by host, to write only rows that change. */
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
    const rows = this.#sql.exec<{ host: string; body: string; seen_ms: number }>(
      "SELECT host, body, seen_ms FROM hosts ORDER BY host",
    );
    const read = readableRows("hosts", rows, ({ body, ...row }) => ({ ...row, body, record: readStoredHost(body) }));
    for (const { host, body, seen_ms, record } of read) {
      this.#bodies.set(host, body);
      hosts.set(host, { record, seenMs: seen_ms });
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

  /** Marks a module as reported. @returns whether it had not been reported before */
  markModuleReported(key: string): boolean {
    return this.#sql.exec("INSERT OR IGNORE INTO told (module) VALUES (?)", key).rowsWritten > 0;
  }
}
