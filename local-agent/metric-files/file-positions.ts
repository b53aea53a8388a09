import * as z from "zod";
import type { FilePosition } from "../base/files/line-file.ts";
import type { DatabaseSync, StateDatabase, Write } from "../store/state-database.ts";

/** The position of a file that has not been read for so long is deleted. */
const KEEP_MS = 30 * 86_400_000;

const PositionRow = z.object({
  position: z.int(),
  skipping: z.int(),
  anchor: z.string(),
  tail: z.instanceof(Uint8Array).nullable(),
});

/** How far a file was read, and what stood behind that without a line feed. */
export interface ReadSoFar {
  readonly position: FilePosition;
  readonly tail: Buffer | undefined;
}

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
         anchor TEXT NOT NULL, read_ms INTEGER NOT NULL, tail BLOB) WITHOUT ROWID`,
    );
    const columns = this.#sql.prepare("SELECT name FROM pragma_table_info('metric_files')").all();
    // A table of an earlier version, which forgot tails.
    if (!columns.some(({ name }) => name === "tail")) this.#sql.exec("ALTER TABLE metric_files ADD COLUMN tail BLOB");
    this.#sql.prepare("DELETE FROM metric_files WHERE read_ms < ?").run(now() - KEEP_MS);
  }

  find(identity: string): ReadSoFar | undefined {
    const row = this.#sql
      .prepare("SELECT position, skipping, anchor, tail FROM metric_files WHERE identity = ?")
      .get(identity);
    if (row === undefined) return undefined;
    const { position, skipping, anchor, tail } = PositionRow.parse(row);
    return {
      position: { offset: position, skipping: skipping === 1, anchor },
      tail: tail === null ? undefined : Buffer.from(tail),
    };
  }

  /** Part of the transaction that writes the observations up to this position. */
  save(identity: string, { position: { offset, skipping, anchor }, tail }: ReadSoFar): Write<void> {
    return () => {
      this.#sql
        .prepare(
          "INSERT OR REPLACE INTO metric_files (identity, position, skipping, anchor, read_ms, tail) VALUES (?, ?, ?, ?, ?, ?)",
        )
        .run(identity, offset, skipping ? 1 : 0, anchor, this.#now(), tail ?? null);
      return () => undefined;
    };
  }
}
