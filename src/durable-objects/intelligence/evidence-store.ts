import { type Evidence, type SliceKey, StoredSlice } from "../../core/intelligence/rollout/evidence.ts";
import { StoredRollout } from "../../core/intelligence/rollout/rollout.ts";
import { Notes } from "../shell/notes.ts";
import { readableOr, readableRows } from "../shell/readable-rows.ts";

interface SliceRow {
  [column: string]: SqlStorageValue;
  start_ms: number;
  epoch: number;
  body: string;
}

/**
 * Tables: `slices(start_ms, epoch, body)`: what askers reported in ten seconds; `reporters(reporter, number, at_ms)`: the
 * last report of each; `notes`: the roll-out's state, when the figures
 * last became a signal, and the numbers of emitted signals.
 */
export class EvidenceStore {
  readonly notes: Notes<"rollout" | "health_ms" | "epoch" | "emitted">;
  readonly #sql: SqlStorage;

  constructor(sql: SqlStorage) {
    this.#sql = sql;
    this.notes = new Notes(sql);
    sql.exec(`
      CREATE TABLE IF NOT EXISTS slices (
        start_ms INTEGER NOT NULL, epoch INTEGER NOT NULL, body TEXT NOT NULL, PRIMARY KEY (start_ms, epoch)
      ) WITHOUT ROWID;
      CREATE TABLE IF NOT EXISTS reporters (
        reporter TEXT PRIMARY KEY, number INTEGER NOT NULL, at_ms INTEGER NOT NULL
      ) WITHOUT ROWID;
    `);
  }

  rollout(): StoredRollout | undefined {
    const read = (text: string): StoredRollout | undefined => StoredRollout.parse(JSON.parse(text));
    return readableOr("state of the roll-out", this.notes.read("rollout"), read, undefined);
  }

  writeRollout(stored: StoredRollout): void {
    this.notes.write("rollout", JSON.stringify(stored));
  }

  restoreInto(evidence: Evidence): void {
    const rows = this.#sql.exec<SliceRow>("SELECT start_ms, epoch, body FROM slices ORDER BY start_ms");
    const read = ({ start_ms, epoch, body }: SliceRow): [SliceKey, StoredSlice] => [
      { startMs: start_ms, epoch },
      StoredSlice.parse(JSON.parse(body)),
    ];
    for (const [key, slice] of readableRows("evidence of the roll-out", rows, read)) evidence.restore(key, slice);
  }

  writeSlice({ startMs, epoch }: SliceKey, slice: StoredSlice): void {
    this.#sql.exec(
      "INSERT OR REPLACE INTO slices (start_ms, epoch, body) VALUES (?, ?, ?)",
      startMs,
      epoch,
      JSON.stringify(slice),
    );
  }

  /** @returns false: this report, or a later one, was taken in before */
  noteReport(reporter: string, number: number, nowMs: number): boolean {
    const [known] = this.#sql.exec<{ number: number }>("SELECT number FROM reporters WHERE reporter = ?", reporter);
    if (known !== undefined && number <= known.number) return false;
    this.#sql.exec(
      "INSERT OR REPLACE INTO reporters (reporter, number, at_ms) VALUES (?, ?, ?)",
      reporter,
      number,
      nowMs,
    );
    return true;
  }

  /** Deletes what is from before a time, in milliseconds since the epoch. */
  forget(endMs: number): void {
    this.#sql.exec("DELETE FROM slices WHERE start_ms < ?", endMs);
    this.#sql.exec("DELETE FROM reporters WHERE at_ms < ?", endMs);
  }
}
