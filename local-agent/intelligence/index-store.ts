import { rmSync } from "node:fs";
import { DatabaseSync, type StatementSync } from "node:sqlite";
import * as z from "zod";

/** Raised when what is stored about a file changes: an index of another version is made anew. */
const VERSION = 1;

const Row = z.object({
  root: z.string(),
  path: z.string(),
  stamp: z.string(),
  confidence: z.number().nullable(),
  error: z.string().nullable(),
});
/** What is known about a file without its pattern. */
export type StoredFile = z.output<typeof Row>;
const PatternRow = z.object({ pattern: z.string().nullable() });
const NoteRow = z.object({ value: z.string() });

/**
 * The index on disk. All of it follows from the files, so it is written without waiting for the disk, and one that cannot be
 * read is deleted and made again.
 */
export class IndexStore {
  readonly #db: DatabaseSync;
  readonly #put: StatementSync;
  readonly #delete: StatementSync;
  readonly #pattern: StatementSync;

  /** @param file - path of the database */
  static open(file: string): IndexStore {
    try {
      return new IndexStore(file);
    } catch {
      for (const ending of ["", "-wal", "-shm"]) rmSync(`${file}${ending}`, { force: true });
      return new IndexStore(file);
    }
  }

  private constructor(file: string) {
    this.#db = new DatabaseSync(file);
    this.#db.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = OFF; PRAGMA cache_size = -4096");
    const { user_version } = z
      .object({ user_version: z.number() })
      .parse(this.#db.prepare("PRAGMA user_version").get());
    if (user_version !== VERSION) this.#db.exec("DROP TABLE IF EXISTS files; DROP TABLE IF EXISTS notes");
    this.#db.exec(`
      CREATE TABLE IF NOT EXISTS files (
        root TEXT NOT NULL, path TEXT NOT NULL, stamp TEXT NOT NULL, confidence REAL, error TEXT, pattern TEXT,
        PRIMARY KEY (root, path)
      ) WITHOUT ROWID;
      CREATE TABLE IF NOT EXISTS notes (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
      PRAGMA user_version = ${VERSION}`);
    this.#put = this.#db.prepare(
      "INSERT OR REPLACE INTO files (root, path, stamp, confidence, error, pattern) VALUES (?, ?, ?, ?, ?, ?)",
    );
    this.#delete = this.#db.prepare("DELETE FROM files WHERE root = ? AND path = ?");
    this.#pattern = this.#db.prepare("SELECT pattern FROM files WHERE root = ? AND path = ?");
  }

  *all(): Generator<StoredFile> {
    for (const row of this.#db.prepare("SELECT root, path, stamp, confidence, error FROM files").iterate())
      yield Row.parse(row);
  }

  put({ root, path, stamp, confidence, error }: StoredFile, pattern: string | null): void {
    this.#put.run(root, path, stamp, confidence, error, pattern);
  }

  delete(root: string, path: string): void {
    this.#delete.run(root, path);
  }

  /** JSON of a file's pattern. */
  pattern(root: string, path: string): string | undefined {
    const row = this.#pattern.get(root, path);
    return row === undefined ? undefined : (PatternRow.parse(row).pattern ?? undefined);
  }

  /** The file that is being parsed; it is still there after the thread that parsed it has died. */
  get parsing(): string | undefined {
    const row = this.#db.prepare("SELECT value FROM notes WHERE name = 'parsing'").get();
    return row === undefined ? undefined : NoteRow.parse(row).value;
  }

  setParsing(file: string | undefined): void {
    if (file === undefined) this.#db.exec("DELETE FROM notes WHERE name = 'parsing'");
    else this.#db.prepare("INSERT OR REPLACE INTO notes (name, value) VALUES ('parsing', ?)").run(file);
  }

  close(): void {
    this.#db.close();
  }
}
