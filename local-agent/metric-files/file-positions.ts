import type { DatabaseSync, StateDatabase, Write } from "../store/state-database.ts";

export interface FilePosition {
  /** Bytes that are done with. */
  readonly offset: number;
  /** The end of a line that was too long is still to come: it is passed over. */
  readonly skipping: boolean;
  /** The bytes before `offset`, in hex: where others stand there now, the file was emptied and written anew. */
  readonly anchor: string;
}

export const FILE_START: FilePosition = { offset: 0, skipping: false, anchor: "" };

/** A file that has not changed for so long is forgotten. */
const KEEP_MS = 30 * 86_400_000;

/**
 * How far each file has been read. A file is known by device, inode and time of birth, so that it is the same one
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
      .get(identity) as { position: number; skipping: number; anchor: string } | undefined;
    return row && { offset: row.position, skipping: row.skipping === 1, anchor: row.anchor };
  }

  /** To be written in the transaction of what was read. */
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
