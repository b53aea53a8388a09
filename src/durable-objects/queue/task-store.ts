import type { QueueChanges } from "../../core/queue/change-tracker.ts";
import type { Entry } from "../../core/queue/entry.ts";
import {
  packFinished,
  packProgress,
  packTerms,
  readStoredFinishedTask,
  readStoredTask,
} from "../../core/queue/stored-task.ts";
import type { FinishedTask, Task } from "../../core/queue/task.ts";
import { Notes } from "../shell/notes.ts";

/** Finished tasks are kept in slices of this length; a slice is dropped whole, which costs no row. */
const SLICE_MS = 6 * 3_600_000;
/** They can be looked up, and their ids are recognised, for a day: five slices, as many as one statement may join. */
const KEEP_SLICES = 4;
/** Numbers are reserved so many at a time: a row for each would cost as much as the task. */
const RESERVE = 1_000;
/**
 * Payloads kept in memory beside the disk, in characters. Those that came first give way: what has waited for long
 * waits behind a backlog, and most others are handed out soon after they came.
 */
const CACHE_CHARS = 8_000_000;

/**
 * A call that went to a connected responder in the moment in which it came is written when it has ended, or after this
 * time: one row instead of three, and one flush instead of two for most. Nothing was promised to anybody until then. A
 * crash in that time loses the caller's connection too, and what a caller sends again, having had no answer, is run again.
 */
export const PASSING_MS = 20;

/** Rows in one statement, of four values and of two; 100 values are the most that one may have. */
const ROWS = 24;
const UPDATES = 48;

interface LiveRow extends Record<string, SqlStorageValue> {
  seq: number;
  terms: string;
  progress: string;
}

/** What a queue has on disk besides its tasks. */
export type NoteName = "name" | "epoch" | "reserved" | "settings" | "statistics" | "alerts" | "emitted" | "registered";

/**
 * A queue's tasks in SQLite. An unfinished task is one row, written when it comes and whenever its state changes;
 * finishing deletes it and writes one row among the finished, found by the task's id without another index. That makes
 * four rows over a whole life, three where a waiting worker gets the task in the transaction that stores it. Nothing
 * is ordered here: the order lives in memory, built from the unfinished tasks when the object wakes.
 */
export class TaskStore {
  readonly notes: Notes<NoteName>;
  readonly #sql: SqlStorage;
  #slices: number[] = [];
  #reserved = 1;
  /** Stored tasks whose payload is in memory, in the order in which they came, and how much that is. */
  #cached = new Set<Entry>();
  #cachedChars = 0;
  /** Calls that are with their responder and only in memory so far, with when they came; oldest first. */
  #passing = new Map<Entry, number>();
  /** Ids known not to be among the finished, until the next write. */
  readonly #absent = new Set<string>();

  constructor(sql: SqlStorage) {
    this.#sql = sql;
    sql.exec(
      "CREATE TABLE IF NOT EXISTS tasks (seq INTEGER PRIMARY KEY, terms TEXT NOT NULL, progress TEXT NOT NULL, payload TEXT NOT NULL)",
    );
    this.notes = new Notes(sql);
    this.reload();
  }

  /** Reads memory back from storage, after a transaction that failed. */
  reload(): this {
    this.#slices = [...this.#sql.exec<{ name: string }>("SELECT name FROM sqlite_master WHERE name GLOB 'finished_*'")]
      .map(({ name }) => Number(name.slice("finished_".length)))
      .sort((a, b) => a - b);
    this.#reserved = Number(this.notes.read("reserved") ?? "1");
    this.#absent.clear();
    this.#passing = new Map();
    return this;
  }

  /** First number that no task has had. */
  get nextSeq(): number {
    return this.#reserved;
  }

  *tasks(): Generator<Task> {
    this.#cached = new Set();
    this.#cachedChars = 0;
    for (const { seq, terms, progress } of this.#sql.exec<LiveRow>(
      "SELECT seq, terms, progress FROM tasks ORDER BY seq",
    )) {
      yield readStoredTask(seq, terms, progress);
    }
  }

  /** Looks ids up together that {@link finished} is going to be asked for: most of them are new. */
  recall(ids: readonly string[]): void {
    if (ids.length < 2 || this.#slices.length === 0) return;
    const known = this.#fromSlices("SELECT task_id AS id", "IN (SELECT value FROM json_each(?1))");
    const found = new Set([...this.#sql.exec<{ id: string }>(known, JSON.stringify(ids))].map(({ id }) => id));
    for (const id of ids) if (!found.has(id)) this.#absent.add(id);
  }

  /** Writes what has changed. Belongs into a transaction. */
  write({ changed, finished }: QueueChanges, nextSeq: number, nowMs: number): void {
    this.#absent.clear();
    if (nextSeq > this.#reserved) {
      this.#reserved = nextSeq + RESERVE;
      this.notes.write("reserved", String(this.#reserved));
    }
    const passing = changed.filter(isPassing);
    const due = this.#dueAt(nowMs);
    const fresh = [...changed.filter((entry) => !entry.stored && !isPassing(entry)), ...due];
    this.#update(changed.filter(({ stored }) => stored));
    this.#writeRows("INSERT INTO tasks VALUES", fresh, (entry) => [
      entry.seq,
      packTerms(entry),
      packProgress(entry),
      entry.payloadJson ?? "null",
    ]);
    if (finished.length > 0) this.#finish(this.#sliceAt(nowMs), finished);
    // Last, so that nothing of it has happened where a statement fails.
    for (const entry of fresh) {
      this.#keep(entry);
      this.#passing.delete(entry);
    }
    for (const { entry } of finished) this.#passing.delete(entry);
    for (const entry of passing) if (!entry.stored && !this.#passing.has(entry)) this.#passing.set(entry, nowMs);
  }

  /** Calls that are only in memory so far. */
  get passing(): readonly Entry[] {
    return [...this.#passing.keys()];
  }

  /** Calls that have been at their responder for so long that they are to be written. */
  #dueAt(nowMs: number): Entry[] {
    const due: Entry[] = [];
    for (const [entry, sinceMs] of this.#passing) {
      // One that a clock that was set back makes younger than new is due too.
      if (nowMs >= sinceMs && nowMs < sinceMs + PASSING_MS) break;
      if (entry.state !== "finished" && isPassing(entry)) due.push(entry);
    }
    return due;
  }

  payloadOf({ seq, payloadJson }: Entry): string {
    if (payloadJson !== undefined) return payloadJson;
    return this.#sql.exec<{ payload: string }>("SELECT payload FROM tasks WHERE seq = ?", seq).one().payload;
  }

  /** How a task ended, and its payload; `undefined` when it is not known, or not any more. */
  finished(taskId: string): { record: FinishedTask; payload: string } | undefined {
    if (this.#absent.has(taskId) || this.#slices.length === 0) return undefined;
    const [row] = this.#sql
      .exec<{ record: string; payload: string }>(this.#fromSlices("SELECT record, payload", "= ?1"), taskId)
      .toArray();
    return row === undefined ? undefined : { record: readStoredFinishedTask(row.record), payload: row.payload };
  }

  /** Unfinished tasks in the order of their arrival. */
  seqsAfter(after: number, limit: number): { seq: number; taskId: string }[] {
    return this.#sql
      .exec<{ seq: number; taskId: string }>(
        "SELECT seq, terms ->> '$[0]' AS taskId FROM tasks WHERE seq > ? ORDER BY seq LIMIT ?",
        after,
        limit,
      )
      .toArray();
  }

  /** Puts a finished task back that was forgotten in the same transaction. */
  keep(record: FinishedTask, payload: string, nowMs: number): void {
    const table = this.#sliceAt(nowMs);
    this.#sql.exec(`INSERT OR REPLACE INTO ${table} VALUES (?, ?, ?)`, record.taskId, packFinished(record), payload);
  }

  /** Forgets a finished task, so that its id can be used for trying it again. */
  forget(taskId: string): void {
    for (const slice of this.#slices) this.#sql.exec(`DELETE FROM finished_${slice} WHERE task_id = ?`, taskId);
  }

  /** One statement over all slices, the newest first. */
  #fromSlices(select: string, condition: string): string {
    const parts = this.#slices
      .toReversed()
      .map((slice) => `${select} FROM finished_${slice} WHERE task_id ${condition}`);
    return parts.join(" UNION ALL ");
  }

  /** A task is stored now. Its payload stays in memory, and the oldest there give way to it. */
  #keep(entry: Entry): void {
    entry.stored = true;
    this.#cached.add(entry);
    this.#cachedChars += entry.payloadJson?.length ?? 0;
    for (const oldest of this.#cached) {
      if (this.#cachedChars <= CACHE_CHARS) break;
      this.#uncount(oldest);
      oldest.payloadJson = undefined;
    }
  }

  #uncount(entry: Entry): void {
    if (this.#cached.delete(entry)) this.#cachedChars -= entry.payloadJson?.length ?? 0;
  }

  /** Several tasks a statement, as in {@link #writeRows}. */
  #update(entries: readonly Entry[]): void {
    for (let from = 0; from < entries.length; from += UPDATES) {
      const some = entries.slice(from, from + UPDATES);
      this.#sql.exec(
        `WITH changed (seq, progress) AS (VALUES ${some.map(() => "(?, ?)").join(", ")})
        UPDATE tasks SET progress = changed.progress FROM changed WHERE tasks.seq = changed.seq`,
        ...some.flatMap((entry) => [entry.seq, packProgress(entry)]),
      );
    }
  }

  #finish(table: string, finished: QueueChanges["finished"]): void {
    const inMemory = finished.filter(({ entry }) => entry.payloadJson !== undefined);
    this.#writeRows(`INSERT OR REPLACE INTO ${table} VALUES`, inMemory, ({ entry, record }) => [
      entry.taskId,
      packFinished(record),
      entry.payloadJson ?? "null",
    ]);
    for (const { entry, record } of finished) {
      if (entry.payloadJson !== undefined) continue;
      this.#sql.exec(
        `INSERT OR REPLACE INTO ${table} SELECT ?, ?, payload FROM tasks WHERE seq = ?`,
        entry.taskId,
        packFinished(record),
        entry.seq,
      );
    }
    const gone = finished.filter(({ entry }) => entry.stored).map(({ entry }) => entry);
    for (const entry of gone) this.#uncount(entry);
    // One that came and went in one transaction was never there.
    if (gone.length === 0) return;
    const seqs = JSON.stringify(gone.map(({ seq }) => seq));
    this.#sql.exec("DELETE FROM tasks WHERE seq IN (SELECT value FROM json_each(?))", seqs);
  }

  /** Several rows a statement: each statement costs more than a row. The runtime keeps the texts of each size prepared. */
  #writeRows<Item>(into: string, items: readonly Item[], row: (item: Item) => SqlStorageValue[]): void {
    for (let from = 0; from < items.length; from += ROWS) {
      const rows = items.slice(from, from + ROWS).map(row);
      const places = `(${rows[0]?.map(() => "?").join(", ")})`;
      this.#sql.exec(`${into} ${rows.map(() => places).join(", ")}`, ...rows.flat());
    }
  }

  #sliceAt(nowMs: number): string {
    // Never back to an earlier slice: it may have been dropped when the clock was ahead.
    const slice = Math.max(Math.floor(nowMs / SLICE_MS), this.#slices.at(-1) ?? 0);
    if (slice !== this.#slices.at(-1)) {
      // WITHOUT ROWID: with a text key this is one row a write instead of two.
      this.#sql.exec(
        `CREATE TABLE IF NOT EXISTS finished_${slice} (task_id TEXT PRIMARY KEY, record TEXT NOT NULL, payload TEXT NOT NULL) WITHOUT ROWID`,
      );
      this.#slices.push(slice);
      for (const old of this.#slices.filter((one) => one < slice - KEEP_SLICES)) {
        this.#sql.exec(`DROP TABLE finished_${old}`);
      }
      this.#slices = this.#slices.filter((one) => one >= slice - KEEP_SLICES);
    }
    return `finished_${slice}`;
  }
}

/** A call in the hands of its first responder that was never written. */
function isPassing({ stored, caller, lease, leases }: Entry): boolean {
  return !stored && caller !== null && lease !== null && leases === 1;
}
