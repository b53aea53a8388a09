import type { DeadLetter } from "../../core/dead-letters/dead-letter.ts";
import { causeOfDeadLetter, type DeadLetterRecord } from "../../core/dead-letters/record.ts";

interface Row extends Record<string, SqlStorageValue> {
  number: number;
  id: string;
  body: string;
  attempts: number;
  first_ms: number;
  last_ms: number;
  replayed_ms: number | null;
  outcome: string | null;
  closed: number;
}

/** A letter as it is stored. */
export interface StoredDeadLetter {
  /** Its place among all: the order of first failures. */
  readonly number: number;
  readonly letter: DeadLetter;
  /** It was replayed, and is only kept so that the same failure, reported late, does not bring it back. */
  readonly closed: boolean;
}

/** Dead letters, a row each, and one more for the index on their ids. */
export class DeadLetterStore {
  readonly #sql: SqlStorage;
  #open: number | undefined;

  constructor(sql: SqlStorage) {
    this.#sql = sql;
    sql.exec(
      `CREATE TABLE IF NOT EXISTS letters (number INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, body TEXT NOT NULL,
         attempts INTEGER NOT NULL, first_ms INTEGER NOT NULL, last_ms INTEGER NOT NULL)`,
    );
    // Rooms that were opened before letters could be replayed have no such columns yet.
    const columns = sql.exec<{ name: string }>("SELECT name FROM pragma_table_info('letters')").toArray();
    const has = (column: string) => columns.some(({ name }) => name === column);
    if (!has("closed")) {
      sql.exec("ALTER TABLE letters ADD COLUMN replayed_ms INTEGER");
      sql.exec("ALTER TABLE letters ADD COLUMN outcome TEXT");
      sql.exec("ALTER TABLE letters ADD COLUMN closed INTEGER NOT NULL DEFAULT 0");
    }
    if (!has("cause")) {
      sql.exec("ALTER TABLE letters ADD COLUMN cause TEXT");
      // Only of letters whose own id does not say to which signal they belong: a row more for each of those.
      sql.exec("CREATE INDEX letters_by_cause ON letters (cause) WHERE cause IS NOT NULL");
    }
  }

  /** How many wait for somebody. Counted when it is first asked for, and kept up from then on. */
  get open(): number {
    this.#open ??= this.#sql.exec<{ open: number }>("SELECT COUNT(*) AS open FROM letters WHERE closed = 0").one().open;
    return this.#open;
  }

  get empty(): boolean {
    const { left } = this.#sql.exec<{ left: number }>("SELECT EXISTS(SELECT 1 FROM letters) AS left").one();
    return left === 0;
  }

  /** A letter that is here already is counted: handing it over again, after a crash, leaves one. */
  record(record: DeadLetterRecord, nowMs: number): void {
    const { id, ...body } = record;
    const before = this.find(id);
    if (before === undefined) {
      this.#sql.exec(
        "INSERT INTO letters (id, body, attempts, first_ms, last_ms, cause) VALUES (?, ?, 1, ?, ?, ?)",
        ...[id, JSON.stringify(body), nowMs, nowMs, causeOfDeadLetter(record)],
      );
      this.#count(1);
      return;
    }
    // A signal that is in the log, or was taken in, cannot fail under this id again: this is news of the first failure,
    // come late. A task, a message or a file can: then it is here again.
    if (before.closed && body.kind === "signal") return;
    this.#sql.exec(
      "UPDATE letters SET attempts = attempts + 1, last_ms = ?, body = ?, closed = 0 WHERE number = ?",
      ...[nowMs, JSON.stringify(body), before.number],
    );
    if (before.closed) this.#count(1);
  }

  find(id: string): StoredDeadLetter | undefined {
    return this.#sql.exec<Row>("SELECT * FROM letters WHERE id = ?", id).toArray().map(read)[0];
  }

  /** Those whose id is `id` or goes on after it with a dot, replayed ones too. */
  about(id: string, limit: number): StoredDeadLetter[] {
    // "/" follows "." in every encoding: all that begins with the id and a dot, by the index on ids.
    const rows = this.#sql.exec<Row>(
      "SELECT * FROM letters WHERE id = ?1 OR (id > ?1 || '.' AND id < ?1 || '/') LIMIT ?2",
      ...[id, limit],
    );
    return rows.toArray().map(read);
  }

  /** Those that go back to a signal which their own ids do not name, replayed ones too. */
  causedBy(cause: string, limit: number): StoredDeadLetter[] {
    return this.#sql.exec<Row>("SELECT * FROM letters WHERE cause = ? LIMIT ?", cause, limit).toArray().map(read);
  }

  /**
   * Letters that were not replayed, from `after` on.
   *
   * @param limit - rows looked at
   * @returns the letters, and the number to go on from; `null`: there is nothing more
   */
  scan(
    order: "newest" | "oldest",
    after: number | undefined,
    limit: number,
  ): { found: StoredDeadLetter[]; next: number | null } {
    const rows =
      order === "newest"
        ? this.#sql.exec<Row>(
            "SELECT * FROM letters WHERE number < ? ORDER BY number DESC LIMIT ?",
            after ?? Number.MAX_SAFE_INTEGER,
            limit,
          )
        : this.#sql.exec<Row>("SELECT * FROM letters WHERE number > ? ORDER BY number LIMIT ?", after ?? 0, limit);
    const looked = rows.toArray();
    return {
      found: looked.filter(({ closed }) => closed === 0).map(read),
      next: looked.length < limit ? null : (looked.at(-1)?.number ?? null),
    };
  }

  /** @param attempts - as they were when the replay began: a failure that came meanwhile keeps the letter open */
  close({ number, letter }: StoredDeadLetter, outcome: string, nowMs: number): void {
    const { rowsWritten } = this.#sql.exec(
      "UPDATE letters SET closed = 1, replayed_ms = ?, outcome = ? WHERE number = ? AND attempts = ? AND closed = 0",
      ...[nowMs, outcome, number, letter.attempts],
    );
    if (rowsWritten > 0) this.#count(-1);
  }

  failed({ number }: StoredDeadLetter, why: string, nowMs: number): void {
    this.#sql.exec(
      "UPDATE letters SET attempts = attempts + 1, last_ms = ?1, replayed_ms = ?1, outcome = ?2 WHERE number = ?3",
      ...[nowMs, why, number],
    );
  }

  /** @returns whether there was such a letter */
  discard(id: string): boolean {
    const found = this.find(id);
    if (found === undefined || found.closed) return false;
    this.#sql.exec("DELETE FROM letters WHERE number = ?", found.number);
    this.#count(-1);
    return true;
  }

  forgetBefore(ms: number): void {
    this.#sql.exec("DELETE FROM letters WHERE last_ms < ?", ms);
    this.#open = undefined;
  }

  /** Takes the disk's word after a transaction that failed. */
  recount(): void {
    this.#open = undefined;
  }

  #count(change: number): void {
    if (this.#open !== undefined) this.#open += change;
  }
}

function read(row: Row): StoredDeadLetter {
  return {
    number: row.number,
    closed: row.closed === 1,
    letter: {
      id: row.id,
      ...(JSON.parse(row.body) as Omit<DeadLetterRecord, "id">),
      attempts: row.attempts,
      first_failed_at: new Date(row.first_ms).toISOString(),
      last_failed_at: new Date(row.last_ms).toISOString(),
      ...(row.replayed_ms === null ? {} : { replayed_at: new Date(row.replayed_ms).toISOString() }),
      ...(row.outcome === null ? {} : { replay_outcome: row.outcome }),
    },
  };
}
