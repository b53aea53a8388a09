import type { FinishedTask, Task, TaskProgress, TaskTerms } from "../../core/tasks/task.ts";
import type { Changes, Entry } from "../../core/tasks/task-queue.ts";

/** Finished tasks are kept in slices of this length; a slice is dropped whole, which costs no row. */
const SLICE_MS = 3_600_000;
/** They can be looked up, and their ids are recognised, for a day. */
const KEEP_SLICES = 24;
/** Numbers are reserved so many at a time: a row for each would cost as much as the task. */
const RESERVE = 1_000;
/** Payloads kept in memory beside the disk, in characters: most are handed out soon after they came. */
const CACHE_CHARS = 8_000_000;

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
      const task = { seq, ...(JSON.parse(terms) as Omit<TaskTerms, "seq">), ...(JSON.parse(progress) as TaskProgress) };
      yield { ...task, payloadJson: undefined };
    }
  }

  /** Writes what has changed. Belongs into a transaction. */
  write({ changed, finished }: Changes, nextSeq: number, nowMs: number): void {
    if (nextSeq > this.#reserved) {
      this.#reserved = nextSeq + RESERVE;
      this.writeNote("reserved", String(this.#reserved));
    }
    for (const entry of changed) {
      if (entry.stored) {
        this.#sql.exec("UPDATE tasks SET progress = ? WHERE seq = ?", progressJson(entry), entry.seq);
      } else this.#insert(entry);
    }
    if (finished.length === 0) return;
    const table = this.#sliceAt(nowMs);
    for (const { entry, record } of finished) this.#finish(table, entry, record);
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
      if (row !== undefined) return { record: JSON.parse(row.record) as FinishedTask, payload: row.payload };
    }
    return undefined;
  }

  /** Unfinished tasks in the order of their arrival. */
  seqsAfter(after: number, limit: number): { seq: number; taskId: string }[] {
    return this.#sql
      .exec<{ seq: number; taskId: string }>(
        "SELECT seq, terms ->> 'taskId' AS taskId FROM tasks WHERE seq > ? ORDER BY seq LIMIT ?",
        after,
        limit,
      )
      .toArray();
  }

  /** Puts a finished task back that was forgotten in the same transaction. */
  keep(record: FinishedTask, payload: string, nowMs: number): void {
    const table = this.#sliceAt(nowMs);
    this.#sql.exec(`INSERT OR REPLACE INTO ${table} VALUES (?, ?, ?)`, record.taskId, JSON.stringify(record), payload);
  }

  /** Forgets a finished task, so that its id can be used for trying it again. */
  forget(taskId: string): void {
    for (const slice of this.#slices) this.#sql.exec(`DELETE FROM finished_${slice} WHERE task_id = ?`, taskId);
  }

  #insert(entry: Entry): void {
    const { payloadJson = "null" } = entry;
    const terms = termsJson(entry);
    this.#sql.exec("INSERT INTO tasks VALUES (?, ?, ?, ?)", entry.seq, terms, progressJson(entry), payloadJson);
    entry.stored = true;
    this.#cached += payloadJson.length;
    if (this.#cached <= CACHE_CHARS) return;
    this.#cached -= payloadJson.length;
    entry.payloadJson = undefined;
  }

  #finish(table: string, entry: Entry, record: FinishedTask): void {
    const json = JSON.stringify(record);
    if (entry.payloadJson !== undefined) {
      this.#sql.exec(`INSERT OR REPLACE INTO ${table} VALUES (?, ?, ?)`, entry.taskId, json, entry.payloadJson);
    } else {
      this.#sql.exec(
        `INSERT OR REPLACE INTO ${table} SELECT ?, ?, payload FROM tasks WHERE seq = ?`,
        entry.taskId,
        json,
        entry.seq,
      );
    }
    if (!entry.stored) return; // it came and went in one transaction
    this.#sql.exec("DELETE FROM tasks WHERE seq = ?", entry.seq);
    if (entry.payloadJson !== undefined) this.#cached -= entry.payloadJson.length;
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

function termsJson(task: TaskTerms): string {
  const { taskId, recipient, type, sender, priority, createdMs, maxAttempts, timeoutMs, deadlineAtMs, caller } = task;
  const terms: Omit<TaskTerms, "seq"> = {
    ...{ taskId, recipient, type, sender, priority, createdMs, maxAttempts, timeoutMs, deadlineAtMs, caller },
  };
  return JSON.stringify(terms);
}

function progressJson({ readyMs, attempt, leases, lease, waitedMs, ranMs, history }: TaskProgress): string {
  const progress: TaskProgress = { readyMs, attempt, leases, lease, waitedMs, ranMs, history };
  return JSON.stringify(progress);
}
