import * as z from "zod";
import type { FilePosition } from "../base/files/line-file.ts";
import type { DatabaseSync, StateDatabase, Write } from "../store/state-database.ts";

/** The position of a file that has not been read for so long is deleted. */
const KEEP_MS = 30 * 86_400_000;

const PositionRow = z.object({ position: z.int(), skipping: z.int(), anchor: z.string() });

/**
 * How far each file has been read. A file is identified by device, inode and birth time, so that it is the same file
 * under another name after it was rotated.
 */
export class FilePositions {
  readonly #sql: DatabaseSync;
  readonly #now: () => number;

  constructor(db: StateDatabase, now: () => number) {
    this.#sql = db.sql;
    this.#now = now;
    this.#sql.exec(
      `CREATE TABLE IF NOT EXISTS metric_files (identity TEXT PRIMARY KEY, position INTEGER NOT NULL, skipping INTEGER NOT NULL,
         anchor TEXT NOT NULL, read_ms INTEGER NOT NULL) WITHOUT ROWID`,
    );
    this.#sql.prepare("DELETE FROM metric_files WHERE read_ms < ?").run(now() - KEEP_MS);
  }

  find(identity: string): FilePosition | undefined {
    const row = this.#sql
      .prepare("SELECT position, skipping, anchor FROM metric_files WHERE identity = ?")
      .get(identity);
    if (row === undefined) return undefined;
    const { position, skipping, anchor } = PositionRow.parse(row);
    return { offset: position, skipping: skipping === 1, anchor };
  }

  /** Part of the transaction that writes the observations up to this position. */
  save(identity: string, { offset, skipping, anchor }: FilePosition): Write<void> {
    return () => {
      this.#sql
        .prepare(
          "INSERT OR REPLACE INTO metric_files (identity, position, skipping, anchor, read_ms) VALUES (?, ?, ?, ?, ?)",
        )
        .run(identity, offset, skipping ? 1 : 0, anchor, this.#now());
      return () => undefined;
    };
  }
}
