import type { DeadLetter, DeadLetterRecord } from "../../core/dead-letters/dead-letter.ts";
import { idOfOwner, ownerOf } from "../../core/dead-letters/owner.ts";
import { causeOfDeadLetter, readStoredRecord } from "../../core/dead-letters/record.ts";
import { readableOr } from "../shell/readable-rows.ts";
import { LetterShares } from "./letter-shares.ts";

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

/** Rows among which the newest open dead letters are searched. */
const SEARCHED_ROWS = 1_000;
/** Ids that one statement looks for: together they must stay far below the largest value of a parameter. */
const TEXTS_AT_ONCE = 1_000;

/** A dead letter as it is stored. */
export interface StoredDeadLetter {
  /** Position among all dead letters, in the order of their first failures. */
  readonly number: number;
  readonly deadLetter: DeadLetter;
  /** The dead letter was replayed. Its row is kept so that a late report of the same failure does not reopen it. */
  readonly closed: boolean;
}

/**
 * Stores dead letters. Table: `letters`, a row each, and a row more in the index on ids. The table keeps the name under
 * which earlier versions wrote it.
 */
export class DeadLetterStore {
  readonly #sql: SqlStorage;
  readonly #shares: LetterShares;
  #open: number | undefined;

  constructor(sql: SqlStorage) {
    this.#sql = sql;
    this.#shares = new LetterShares(sql);
    sql.exec(
      `CREATE TABLE IF NOT EXISTS letters (number INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, body TEXT NOT NULL,
         attempts INTEGER NOT NULL, first_ms INTEGER NOT NULL, last_ms INTEGER NOT NULL, replayed_ms INTEGER, outcome TEXT,
         closed INTEGER NOT NULL DEFAULT 0, cause TEXT)`,
    );
    // Set only where the id does not name the signal: the index costs these dead letters one row more.
    sql.exec("CREATE INDEX IF NOT EXISTS letters_by_cause ON letters (cause) WHERE cause IS NOT NULL");
  }

  /** Number of dead letters that wait to be replayed or discarded. Counted at the first read, then kept up to date. */
  get open(): number {
    this.#open ??= this.#sql.exec<{ open: number }>("SELECT COUNT(*) AS open FROM letters WHERE closed = 0").one().open;
    return this.#open;
  }

  /** How many were ever recorded, those that were discarded or forgotten included. */
  get everRecorded(): number {
    const select = "SELECT seq FROM sqlite_sequence WHERE name = 'letters'";
    return this.#sql.exec<{ seq: number }>(select).toArray()[0]?.seq ?? 0;
  }

  get empty(): boolean {
    const { left } = this.#sql.exec<{ left: number }>("SELECT EXISTS(SELECT 1 FROM letters) AS left").one();
    return left === 0;
  }

  /** Adds a dead letter, or counts another attempt of a known one: after a crash a repeated report leaves one row. */
  record(record: DeadLetterRecord, nowMs: number): void {
    const { id: given, ...body } = record;
    const { id, before } = this.#place(given, ownerOf(record));
    if (before === undefined) {
      this.#sql.exec(
        "INSERT INTO letters (id, body, attempts, first_ms, last_ms, cause) VALUES (?, ?, 1, ?, ?, ?)",
        id,
        JSON.stringify(body),
        nowMs,
        nowMs,
        causeOfDeadLetter(record),
      );
      this.#count(1, ownerOf(record));
      return;
    }
    // A replayed signal is in the log or was processed, and cannot fail under this id again: this is a late report of
    // the first failure. A task, a message or a file can fail again; then its dead letter is opened again.
    if (before.closed && body.kind === "signal") return;
    this.#sql.exec(
      "UPDATE letters SET attempts = attempts + 1, last_ms = ?, body = ?, closed = 0 WHERE number = ?",
      nowMs,
      JSON.stringify(body),
      before.number,
    );
    if (before.closed) this.#count(1, ownerOf(record));
  }

  /**
   * Deletes the oldest open dead letters of an owner that has more than `limit`.
   *
   * @returns how many were deleted
   */
  trim(owner: string, limit: number): number {
    let deleted = 0;
    // All together are fewer than one owner may have, nearly always: nothing is counted by owner then.
    while (this.open > limit && this.#shares.of(owner) > limit) {
      const oldest = this.#shares.oldest(owner);
      if (oldest === undefined) break;
      this.#sql.exec("DELETE FROM letters WHERE number = ?", oldest);
      this.#count(-1, owner);
      deleted++;
    }
    return deleted;
  }

  /**
   * The id under which a dead letter is kept. Ids are made by those who give up, and a host may name its own as it likes:
   * one that belongs to somebody else already is completed by its owner, so that nobody overwrites another's.
   */
  #place(given: string, owner: string): { id: string; before: StoredDeadLetter | undefined } {
    let id = given;
    let before = this.find(id);
    // The completed id can be another's, too, and a longer one is free.
    while (before !== undefined && ownerOf(before.deadLetter) !== owner) {
      id = idOfOwner(id, owner);
      before = this.find(id);
    }
    return { id, before };
  }

  find(id: string): StoredDeadLetter | undefined {
    return this.#sql.exec<Row>("SELECT * FROM letters WHERE id = ?", id).toArray().map(readRow)[0];
  }

  /**
   * Dead letters about one signal or one task, including replayed ones: those whose id is one of `ids`, also completed by an
   * owner, or starts with one and a dot, and those caused by one of `causes`, which their own ids do not name. A chain asks for
   * thousands at a time, so that a statement for each would take longer than all else.
   */
  about(ids: readonly string[], causes: readonly string[], limit: number): StoredDeadLetter[] {
    const found: Row[] = [];
    const add = (query: string, texts: readonly string[]) => {
      for (let from = 0; from < texts.length && found.length < limit; from += TEXTS_AT_ONCE) {
        const some = JSON.stringify(texts.slice(from, from + TEXTS_AT_ONCE));
        found.push(...this.#sql.exec<Row>(query, some, limit - found.length));
      }
    };
    // "/" follows "." in every encoding, so this range of the index on ids holds all that start with the id and a dot;
    // DEL follows "~".
    add(
      `SELECT letters.* FROM json_each(?1) AS wanted CROSS JOIN letters
         ON letters.id = wanted.value
         OR (letters.id > wanted.value || '.' AND letters.id < wanted.value || '/')
         OR (letters.id > wanted.value || '~' AND letters.id < wanted.value || char(127)) LIMIT ?2`,
      ids,
    );
    add(
      "SELECT letters.* FROM json_each(?1) AS wanted CROSS JOIN letters ON letters.cause = wanted.value LIMIT ?2",
      causes,
    );
    return found.map(readRow);
  }

  /**
   * Reads a page of the dead letters that were not replayed.
   *
   * @param after - number of the last row that the previous page read
   * @param limit - maximum number of rows to read
   * @returns the dead letters, and the number to continue after; `null`: there are no more rows
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
    const read = rows.toArray();
    return {
      found: read.filter(({ closed }) => closed === 0).map(readRow),
      next: read.length < limit ? null : (read.at(-1)?.number ?? null),
    };
  }

  /** The newest dead letters that were not replayed, among the last {@link SEARCHED_ROWS} rows: most of these may be closed. */
  newestOpen(limit: number): StoredDeadLetter[] {
    return this.#sql
      .exec<Row>(
        "SELECT * FROM (SELECT * FROM letters ORDER BY number DESC LIMIT ?) WHERE closed = 0 ORDER BY number DESC LIMIT ?",
        SEARCHED_ROWS,
        limit,
      )
      .toArray()
      .map(readRow);
  }

  /** Closes a replayed dead letter. A failure that was recorded since the replay began keeps it open. */
  close({ number, deadLetter }: StoredDeadLetter, outcome: string, nowMs: number): void {
    const { rowsWritten } = this.#sql.exec(
      "UPDATE letters SET closed = 1, replayed_ms = ?, outcome = ? WHERE number = ? AND attempts = ? AND closed = 0",
      nowMs,
      outcome,
      number,
      deadLetter.attempts,
    );
    if (rowsWritten > 0) this.#count(-1, ownerOf(deadLetter));
  }

  recordFailedReplay({ number }: StoredDeadLetter, reason: string, nowMs: number): void {
    this.#sql.exec(
      "UPDATE letters SET attempts = attempts + 1, last_ms = ?1, replayed_ms = ?1, outcome = ?2 WHERE number = ?3",
      nowMs,
      reason,
      number,
    );
  }

  /** @returns whether an open dead letter of this id existed */
  discard(id: string): boolean {
    const found = this.find(id);
    if (found === undefined || found.closed) return false;
    this.#sql.exec("DELETE FROM letters WHERE number = ?", found.number);
    this.#count(-1, ownerOf(found.deadLetter));
    return true;
  }

  forgetBefore(ms: number): void {
    this.#sql.exec("DELETE FROM letters WHERE last_ms < ?", ms);
    this.recount();
  }

  /** Counts the open dead letters again, after a transaction that failed. */
  recount(): void {
    this.#open = undefined;
    this.#shares.reset();
  }

  #count(change: number, owner: string): void {
    if (this.#open !== undefined) this.#open += change;
    this.#shares.add(owner, change);
  }
}

/** A dead letter whose row cannot be read is shown all the same: it can be discarded, and hides no other. */
const unreadable = (id: string): DeadLetterRecord => ({
  id,
  kind: "signal",
  error: "the stored dead letter cannot be read: discard it",
  daemon: "ganglion/dead-letters",
});

function readRow(row: Row): StoredDeadLetter {
  return {
    number: row.number,
    closed: row.closed === 1,
    deadLetter: {
      ...readableOr("dead letters", row.body, (body) => readStoredRecord(row.id, body), unreadable(row.id)),
      attempts: row.attempts,
      first_failed_at: new Date(row.first_ms).toISOString(),
      last_failed_at: new Date(row.last_ms).toISOString(),
      ...(row.replayed_ms === null ? {} : { replayed_at: new Date(row.replayed_ms).toISOString() }),
      ...(row.outcome === null ? {} : { replay_outcome: row.outcome }),
    },
  };
}
