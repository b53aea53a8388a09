import type { OpenQuestions } from "../../core/metrics/samples.ts";
import { dueMs, recipientsOf } from "../../core/questions/machine.ts";
import type { MessageKind } from "../../core/questions/message.ts";
import { CLOSED_MS, MAX_CLOSED } from "../../core/questions/settings.ts";
import { type QuestionKind, QuestionState } from "../../core/questions/state.ts";
import { Notes } from "../shell/notes.ts";
import { readableRows } from "../shell/readable-rows.ts";

/** Closed questions that are forgotten together. */
const FORGET = 50;

export interface StoredQuestion {
  readonly id: string;
  readonly state: QuestionState;
}

/** Something that others are to be told: by a message to people, or the answer to a queue. */
export interface Notice {
  readonly number: number;
  readonly question: string;
  readonly kind: MessageKind | "task";
  /** Names the notice among those of its question: numbers are given again. */
  readonly key: string;
  /** Who is asked; of an answer to a queue `<queue>/<task>`. */
  readonly target: string;
  readonly tries: number;
}

export interface QuestionFilter {
  readonly state: QuestionState["state"] | undefined;
  readonly recipient: string | undefined;
  readonly kind: QuestionKind | undefined;
  /** Recipients that the caller may see; `undefined`: any. */
  readonly bound: readonly string[] | undefined;
  /** Place of the page before; `undefined`: the first page. */
  readonly after: number | undefined;
  readonly limit: number;
}

interface Row extends Record<string, SqlStorageValue> {
  seq: number;
  id: string;
  body: string;
}

type NoteName = "epoch" | "emitted" | "listed";

/**
 * The questions of an ecosystem. Nothing of them is held in memory: an object that wakes for one reads that one.
 *
 * Tables: `questions(seq, id, state, recipient, also, cause, expires_ms, due_ms, body)`; `also`: who is asked beside the
 * recipient. `watchers(question, target)`: tasks that wait. `notices(number, question, kind, key, target, due_ms, tries)`: what
 * others are to be told. `link_secret(id, value)`: signs links.
 */
export class QuestionStore {
  readonly notes: Notes<NoteName>;
  readonly #sql: SqlStorage;

  constructor(sql: SqlStorage) {
    this.#sql = sql;
    this.notes = new Notes<NoteName>(sql);
    sql.exec(
      `CREATE TABLE IF NOT EXISTS questions (seq INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, state TEXT NOT NULL,
         recipient TEXT NOT NULL, also TEXT, cause TEXT, expires_ms INTEGER NOT NULL, due_ms INTEGER, body TEXT NOT NULL)`,
    );
    sql.exec("CREATE INDEX IF NOT EXISTS questions_due ON questions (due_ms) WHERE due_ms IS NOT NULL");
    sql.exec("CREATE INDEX IF NOT EXISTS questions_open ON questions (expires_ms) WHERE state = 'open'");
    sql.exec(
      "CREATE TABLE IF NOT EXISTS watchers (question TEXT, target TEXT, PRIMARY KEY (question, target)) WITHOUT ROWID",
    );
    sql.exec(
      `CREATE TABLE IF NOT EXISTS notices (number INTEGER PRIMARY KEY, question TEXT NOT NULL, kind TEXT NOT NULL,
         key TEXT NOT NULL, target TEXT NOT NULL, due_ms INTEGER NOT NULL, tries INTEGER NOT NULL)`,
    );
    sql.exec("CREATE TABLE IF NOT EXISTS link_secret (id INTEGER PRIMARY KEY, value TEXT NOT NULL)");
  }

  get open(): number {
    return this.#sql.exec<{ count: number }>("SELECT count(*) AS count FROM questions WHERE state = 'open'").one()
      .count;
  }

  /** How many of each kind wait, and since when the oldest does. */
  get openByKind(): OpenQuestions[] {
    const field = (name: string) => `CASE WHEN json_valid(body) THEN json_extract(body, '$.${name}') END`;
    const rows = this.#sql.exec<{ kind: QuestionKind; count: number; oldestMs: number | null }>(
      `SELECT iif(${field("permission")} IS NULL, 'question', 'permission') AS kind, count(*) AS count,
         min(${field("askedMs")}) AS oldestMs FROM questions WHERE state = 'open' GROUP BY kind`,
    );
    return [...rows].map(({ oldestMs, ...row }) => ({ ...row, oldestMs: oldestMs ?? Date.now() }));
  }

  read(id: string): StoredQuestion | undefined {
    return this.#read("SELECT seq, id, body FROM questions WHERE id = ?", id)[0];
  }

  /** The newest first. @returns `next`: of the place after which the next page begins */
  list({ state, recipient, kind, bound, after, limit }: QuestionFilter): {
    questions: StoredQuestion[];
    next: number | null;
  } {
    const names = bound === undefined ? null : JSON.stringify(bound.map((name) => globOf(name)));
    const rows = this.#sql
      .exec<Row>(
        `SELECT seq, id, body FROM questions WHERE seq < ?1 AND (?2 IS NULL OR state = ?2)
           AND (?3 IS NULL OR recipient = ?3 OR also = ?3)
           AND (?4 IS NULL OR EXISTS (SELECT 1 FROM json_each(?4) WHERE recipient GLOB value OR also GLOB value))
           AND (?6 IS NULL OR (CASE WHEN json_valid(body) THEN json_extract(body, '$.permission') END IS NOT NULL) = ?6)
           ORDER BY seq DESC LIMIT ?5`,
        after ?? Number.MAX_SAFE_INTEGER,
        state ?? null,
        recipient ?? null,
        names,
        limit,
        kind === undefined ? null : kind === "permission" ? 1 : 0,
      )
      .toArray();
    return { questions: [...this.#readable(rows)], next: rows.length < limit ? null : (rows.at(-1)?.seq ?? null) };
  }

  /** Open questions, the first to expire first, with the number of the tasks that wait for each. */
  urgent(limit: number): { readonly stored: StoredQuestion; readonly tasks: number }[] {
    const select = "SELECT seq, id, body FROM questions WHERE state = 'open' ORDER BY expires_ms LIMIT ?";
    return this.#read(select, limit).map((stored) => ({ stored, tasks: this.watchers(stored.id).length }));
  }

  due(nowMs: number, limit: number): StoredQuestion[] {
    return this.#read("SELECT seq, id, body FROM questions WHERE due_ms <= ? ORDER BY due_ms LIMIT ?", nowMs, limit);
  }

  /** When the first question or notice is due; `undefined`: none is. */
  get nextDueMs(): number | undefined {
    const select = `SELECT min((SELECT min(due_ms) FROM questions WHERE due_ms IS NOT NULL),
      (SELECT min(due_ms) FROM notices)) AS both, (SELECT min(due_ms) FROM questions WHERE due_ms IS NOT NULL) AS one,
      (SELECT min(due_ms) FROM notices) AS other`;
    const { both, one, other } = this.#sql
      .exec<{ both: number | null; one: number | null; other: number | null }>(select)
      .one();
    return both ?? one ?? other ?? undefined;
  }

  write({ id, state }: StoredQuestion): void {
    const also = recipientsOf(state)[1] ?? null;
    this.#sql.exec(
      `INSERT INTO questions (id, state, recipient, also, cause, expires_ms, due_ms, body) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)
         ON CONFLICT (id) DO UPDATE SET state = ?2, also = ?4, due_ms = ?7, body = ?8`,
      ...[id, state.state, state.recipient, also, state.cause, state.expiresMs, dueMs(state) ?? null],
      JSON.stringify(state),
    );
  }

  /** Forgets what has been over for long, some at a time: a question that is asked makes room. */
  forgetOld(nowMs: number): void {
    const old = this.#sql
      .exec<Row>("SELECT seq, id, body FROM questions WHERE state <> 'open' ORDER BY seq LIMIT ?", FORGET)
      .toArray();
    const kept = this.#sql
      .exec<{ count: number }>("SELECT count(*) AS count FROM questions WHERE state <> 'open'")
      .one();
    let beyond = kept.count - MAX_CLOSED;
    for (const { id, state } of this.#readable(old)) {
      if (beyond <= 0 && (state.closedMs ?? 0) > nowMs - CLOSED_MS) continue;
      this.#sql.exec("DELETE FROM questions WHERE id = ?", id);
      beyond--;
    }
  }

  watchers(question: string): string[] {
    const rows = this.#sql.exec<{ target: string }>("SELECT target FROM watchers WHERE question = ?", question);
    return [...rows].map(({ target }) => target);
  }

  watch(question: string, target: string): void {
    this.#sql.exec("INSERT OR IGNORE INTO watchers (question, target) VALUES (?, ?)", question, target);
  }

  /** The tasks that wait are to be given the answer. */
  tellWatchers(question: string, nowMs: number): void {
    for (const target of this.watchers(question)) this.notify({ question, kind: "task", key: "task", target }, nowMs);
    this.#sql.exec("DELETE FROM watchers WHERE question = ?", question);
  }

  notify({ question, kind, key, target }: Omit<Notice, "number" | "tries">, nowMs: number): void {
    this.#sql.exec(
      "INSERT INTO notices (question, kind, key, target, due_ms, tries) VALUES (?, ?, ?, ?, ?, 0)",
      ...[question, kind, key, target, nowMs],
    );
  }

  /** Drops messages that ask: one that is on its way may arrive all the same. */
  dropMessages(question: string): void {
    this.#sql.exec("DELETE FROM notices WHERE question = ? AND kind <> 'task'", question);
  }

  dueNotices(nowMs: number, limit: number): Notice[] {
    const select =
      "SELECT number, question, kind, key, target, tries FROM notices WHERE due_ms <= ? ORDER BY number LIMIT ?";
    return this.#sql
      .exec<{ number: number; question: string; kind: string; key: string; target: string; tries: number }>(
        select,
        nowMs,
        limit,
      )
      .toArray()
      .map((row) => ({ ...row, kind: row.kind as Notice["kind"] }));
  }

  postpone(number: number, dueMs: number): void {
    this.#sql.exec("UPDATE notices SET due_ms = ?, tries = tries + 1 WHERE number = ?", dueMs, number);
  }

  forgetNotice(number: number): void {
    this.#sql.exec("DELETE FROM notices WHERE number = ?", number);
  }

  /** The secret that signs links, in base64url; `undefined`: none was made yet. */
  get linkSecret(): string | undefined {
    return this.#sql.exec<{ value: string }>("SELECT value FROM link_secret WHERE id = 0").toArray()[0]?.value;
  }

  set linkSecret(value: string) {
    this.#sql.exec("INSERT OR IGNORE INTO link_secret (id, value) VALUES (0, ?)", value);
  }

  #read(statement: string, ...values: SqlStorageValue[]): StoredQuestion[] {
    return [...this.#readable(this.#sql.exec<Row>(statement, ...values).toArray())];
  }

  /** One that cannot be read is due no more, and stops no other. */
  #readable(rows: readonly Row[]): Generator<StoredQuestion> {
    return readableRows(
      "a question",
      rows,
      ({ id, body }) => ({ id, state: QuestionState.parse(JSON.parse(body)) }),
      ({ id }) => this.#sql.exec("UPDATE questions SET due_ms = NULL, state = 'unreadable' WHERE id = ?", id),
    );
  }
}

/** A binding of a token as a pattern of SQLite: the names hold nothing else that has a meaning there. */
const globOf = (name: string): string => name.replaceAll("[", "[[]").replaceAll("?", "[?]");
