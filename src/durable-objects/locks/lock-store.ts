import { type Hold, readHold, writeHold } from "../../core/locks/hold.ts";
import type { HoldIndex } from "../../core/locks/hold-index.ts";
import { Notes } from "../shell/notes.ts";
import { readableRows } from "../shell/readable-rows.ts";

type Note = "epoch" | "emitted" | "listed";

interface Row extends Record<string, SqlStorageValue> {
  fence: number;
  body: string;
}

/**
 * What is held, a row for each lock: its fence is its key, so that acquiring, renewing and releasing write one row of it, and
 * one with the last fence.
 *
 * Tables: `locks(fence, body)`; `fences(one, last)`, one row.
 */
export class LockStore {
  readonly notes: Notes<Note>;
  readonly #sql: SqlStorage;
  #lastFence: number;

  constructor(sql: SqlStorage) {
    this.#sql = sql;
    this.notes = new Notes<Note>(sql);
    sql.exec("CREATE TABLE IF NOT EXISTS locks (fence INTEGER PRIMARY KEY, body TEXT NOT NULL)");
    sql.exec("CREATE TABLE IF NOT EXISTS fences (one INTEGER PRIMARY KEY, last INTEGER NOT NULL)");
    this.#lastFence = this.lastFence;
  }

  /** The largest fence that was given; 0: none. */
  get lastFence(): number {
    return this.#sql.exec<{ last: number }>("SELECT last FROM fences").toArray()[0]?.last ?? 0;
  }

  /** One that cannot be read is held by nobody who could be named: it goes, and stops no other. */
  read(): Hold[] {
    const rows = this.#sql.exec<Row>("SELECT fence, body FROM locks ORDER BY fence").toArray();
    return [
      ...readableRows(
        "a lock",
        rows,
        ({ fence, body }) => readHold(fence, body),
        ({ fence }) => this.#sql.exec("DELETE FROM locks WHERE fence = ?", fence),
      ),
    ];
  }

  write(changed: readonly number[], holds: HoldIndex, lastFence: number): void {
    for (const fence of changed) {
      const hold = holds.get(fence);
      if (hold === undefined) this.#sql.exec("DELETE FROM locks WHERE fence = ?", fence);
      else
        this.#sql.exec(
          "INSERT INTO locks (fence, body) VALUES (?1, ?2) ON CONFLICT (fence) DO UPDATE SET body = ?2",
          ...[fence, writeHold(hold)],
        );
    }
    if (lastFence === this.#lastFence) return;
    this.#sql.exec(
      "INSERT INTO fences (one, last) VALUES (1, ?1) ON CONFLICT (one) DO UPDATE SET last = ?1",
      lastFence,
    );
    this.#lastFence = lastFence;
  }

  /** A transaction failed: takes the disk's word. */
  reload(): void {
    this.#lastFence = this.lastFence;
  }
}
