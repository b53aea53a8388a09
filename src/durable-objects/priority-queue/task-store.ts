import {
  packFinished,
  packProgress,
  packTerms,
  unpackFinished,
  unpackProgress,
  unpackTerms,
} from "../../core/tasks/packing.ts";
import type { FinishedTask, Task } from "../../core/tasks/task.ts";
import type { Changes, Entry } from "../../core/tasks/task-queue.ts";

/** Finished tasks are kept in slices of this length; a slice is dropped whole, which costs no row. */
const SLICE_MS = 3_600_000;
/** They can be looked up, and their ids are recognised, for a day. */
const KEEP_SLICES = 24;
/** Numbers are reserved so many at a time: a row for each would cost as much as the task. */
const RESERVE = 1_000;
/** Payloads kept in memory beside the disk, in characters: most are handed out soon after they came. */
const CACHE_CHARS = 8_000_000;

/** Rows in one statement; 100 values are the most that one may have. */
const ROWS = [24, 8, 3, 1] as const;

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
  readonly #sql: SqlStorage;
  #slices: number[] = [];
  #reserved = 1;
  #cached = 0;

  constructor(sql: SqlStorage) {
    this.#sql = sql;
    sql.exec(`
      CREATE TABLE IF NOT EXISTS tasks (seq INTEGER PRIMARY KEY, terms TEXT NOT NULL, progress TEXT NOT NULL, payload TEXT NOT NULL);
      CREATE TABLE IF NOT EXISTS notes (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
    `);
    this.reload();
  }

  /** Reads memory back from storage, after a transaction that failed. */
  reload(): this {
    this.#slices = [...this.#sql.exec<{ name: string }>("SELECT name FROM sqlite_master WHERE name GLOB 'finished_*'")]
      .map(({ name }) => Number(name.slice("finished_".length)))
      .sort((a, b) => a - b);
    this.#reserved = Number(this.note("reserved") ?? "1");
    return this;
  }

  note(name: NoteName): string | undefined {
    return [...this.#sql.exec<{ value: string }>("SELECT value FROM notes WHERE name = ?", name)][0]?.value;
  }

  writeNote(name: NoteName, value: string): void {
    this.#sql.exec(
      "INSERT INTO notes (name, value) VALUES (?1, ?2) ON CONFLICT (name) DO UPDATE SET value = ?2",
      name,
      value,
    );
  }

  /** First number that no task has had. */
  get nextSeq(): number {
    return this.#reserved;
  }

  *tasks(): Generator<Task> {
    this.#cached = 0;
    for (const { seq, terms, progress } of this.#sql.exec<LiveRow>(
      "SELECT seq, terms, progress FROM tasks ORDER BY seq",
    )) {
      yield { ...unpackTerms(seq, terms), ...unpackProgress(progress), payloadJson: undefined };
    }
  }

  /** Writes what has changed. Belongs into a transaction. */
  write({ changed, finished }: Changes, nextSeq: number, nowMs: number): void {
    if (nextSeq > this.#reserved) {
      this.#reserved = nextSeq + RESERVE;
      this.writeNote("reserved", String(this.#reserved));
    }
    const fresh = changed.filter((entry) => !entry.stored);
    for (const entry of changed) {
      if (entry.stored) this.#sql.exec("UPDATE tasks SET progress = ? WHERE seq = ?", packProgress(entry), entry.seq);
    }
    this.#writeRows("INSERT INTO tasks VALUES", fresh, (entry) => [
      entry.seq,
      packTerms(entry),
      packProgress(entry),
      entry.payloadJson ?? "null",
    ]);
    for (const entry of fresh) this.#keep(entry);
    if (finished.length > 0) this.#finish(this.#sliceAt(nowMs), finished);
  }

  payloadOf({ seq, payloadJson }: Entry): string {
    if (payloadJson !== undefined) return payloadJson;
    return this.#sql.exec<{ payload: string }>("SELECT payload FROM tasks WHERE seq = ?", seq).one().payload;
  }

  /** How a task ended, and its payload; `undefined` when it is not known, or not any more. */
  finished(taskId: string): { record: FinishedTask; payload: string } | undefined {
    for (const slice of this.#slices.toReversed()) {
      const [row] = this.#sql
        .exec<{ record: string; payload: string }>(
          `SELECT record, payload FROM finished_${slice} WHERE task_id = ?`,
          taskId,
        )
        .toArray();
      if (row !== undefined) return { record: unpackFinished(row.record), payload: row.payload };
    }
    return undefined;
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

  /** The payload of a stored task stays in memory while there is room: most tasks go out soon after they came. */
  #keep(entry: Entry): void {
    entry.stored = true;
    const chars = entry.payloadJson?.length ?? 0;
    if (this.#cached + chars > CACHE_CHARS) entry.payloadJson = undefined;
    else this.#cached += chars;
  }

  #finish(table: string, finished: Changes["finished"]): void {
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
    for (const { payloadJson } of gone) this.#cached -= payloadJson?.length ?? 0;
    // One that came and went in one transaction was never there.
    if (gone.length === 0) return;
    const seqs = JSON.stringify(gone.map(({ seq }) => seq));
    this.#sql.exec("DELETE FROM tasks WHERE seq IN (SELECT value FROM json_each(?))", seqs);
  }

  /** Several rows a statement: each statement costs more than a row. Few sizes, so that the runtime keeps them prepared. */
  #writeRows<Item>(into: string, items: readonly Item[], row: (item: Item) => SqlStorageValue[]): void {
    for (let from = 0; from < items.length; ) {
      const size = ROWS.find((count) => from + count <= items.length) ?? 1;
      const rows = items.slice(from, from + size).map(row);
      const places = `(${rows[0]?.map(() => "?").join(", ")})`;
      this.#sql.exec(`${into} ${rows.map(() => places).join(", ")}`, ...rows.flat());
      from += size;
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
