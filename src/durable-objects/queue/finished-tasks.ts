import type { QueueChanges } from "../../core/queue/change-tracker.ts";
import { packFinished, readStoredFinishedTask } from "../../core/queue/stored-task.ts";
import type { FinishedTask } from "../../core/queue/task.ts";
import { readableOr, readableRows } from "../shell/readable-rows.ts";
import { finishedSlices } from "./finished-slices.ts";
import { writeRows } from "./write-rows.ts";

/** Finished tasks are stored in tables by time, one for each of these periods at least. Dropping a table costs no row. */
const SLICE_MS = 6 * 3_600_000;
/** Tables besides the one that is written: a day's, and as many as one statement may join. */
const KEEP_SLICES = 4;
/** Ids of finished tasks are recognised for a day. */
const RECOGNISED_MS = KEEP_SLICES * SLICE_MS;
/** Part of a finished task's row by which tasks are listed. */
const FINISHED_MS = "json_extract(record, '$[1][2]')";
const SEQ = "json_extract(record, '$[1][0]')";

export interface StoredFinishedTask {
  readonly record: FinishedTask;
  readonly payload: string;
}

interface FinishedRow extends Record<string, SqlStorageValue> {
  record: string;
  payload: string;
}

/**
 * The finished tasks of a queue. They can be read for a day, and the last ones of a quiet queue for longer: a table is closed
 * when its time is over and it holds its part of the tasks that are kept by count.
 */
export class FinishedTasks {
  readonly #sql: SqlStorage;
  readonly #keep: () => number;
  #slices: number[] = [];
  /** Rows of the table that is written, once they had to be counted. */
  #rows: number | undefined;
  /** Ids that no finished task has, until the next write. */
  readonly #absent = new Set<string>();

  /** @param keep - as many tasks are kept at least, however old they are */
  constructor(sql: SqlStorage, keep: () => number) {
    this.#sql = sql;
    this.#keep = keep;
  }

  /** Reads the state in memory back from storage, after a transaction that failed. */
  reload(): void {
    this.#slices = finishedSlices(this.#sql);
    this.#rows = undefined;
    this.#absent.clear();
  }

  /** Looks up ids together that {@link find} will be asked for: most of them are new. */
  prefetch(ids: readonly string[]): void {
    if (ids.length < 2 || this.#slices.length === 0) return;
    const known = this.#fromSlices("SELECT task_id AS id", "IN (SELECT value FROM json_each(?1))");
    const found = new Set([...this.#sql.exec<{ id: string }>(known, JSON.stringify(ids))].map(({ id }) => id));
    for (const id of ids) if (!found.has(id)) this.#absent.add(id);
  }

  forgetAbsent(): void {
    this.#absent.clear();
  }

  /** A finished task and its payload; `undefined`: no task with this id is kept. */
  find(taskId: string): StoredFinishedTask | undefined {
    if (this.#absent.has(taskId) || this.#slices.length === 0) return undefined;
    const [row] = this.#sql.exec<FinishedRow>(this.#fromSlices("SELECT record, payload", "= ?1"), taskId).toArray();
    if (row === undefined) return undefined;
    const record = readableOr("finished tasks", row.record, readStoredFinishedTask, undefined);
    return record === undefined ? undefined : { record, payload: row.payload };
  }

  /** As {@link find}, for a task that has ended within a day: an id may be used again after that. */
  recognise(taskId: string, nowMs: number): FinishedTask | undefined {
    const record = this.find(taskId)?.record;
    return record !== undefined && record.finishedMs > nowMs - RECOGNISED_MS ? record : undefined;
  }

  /** The last to end first, without payloads. */
  records(limit: number): FinishedTask[] {
    const found: FinishedTask[] = [];
    for (const slice of this.#slices.toReversed()) {
      if (found.length >= limit) break;
      const rows = this.#sql.exec<Pick<FinishedRow, "record">>(
        `SELECT record FROM finished_${slice} ORDER BY ${FINISHED_MS} DESC, ${SEQ} DESC LIMIT ?`,
        limit - found.length,
      );
      found.push(...readableRows("finished tasks", rows, ({ record }) => readStoredFinishedTask(record)));
    }
    return found;
  }

  /** Writes a finished task again that was deleted in the same transaction. */
  restore(record: FinishedTask, payload: string, nowMs: number): void {
    const table = this.#sliceAt(nowMs);
    this.#sql.exec(`INSERT OR REPLACE INTO ${table} VALUES (?, ?, ?)`, record.taskId, packFinished(record), payload);
  }

  /** Deletes a finished task, so that the task can be retried under its id. */
  delete(taskId: string): void {
    for (const slice of this.#slices) this.#sql.exec(`DELETE FROM finished_${slice} WHERE task_id = ?`, taskId);
  }

  /** Writes the tasks that have ended. Those whose payload is not in memory are copied from the unfinished tasks. */
  write(finished: QueueChanges["finished"], nowMs: number): void {
    if (finished.length === 0) return;
    const table = this.#sliceAt(nowMs);
    const inMemory = finished.filter(({ entry }) => entry.payloadJson !== undefined);
    writeRows(this.#sql, `INSERT OR REPLACE INTO ${table} VALUES`, inMemory, ({ entry, record }) => [
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
    if (this.#rows !== undefined) this.#rows += finished.length;
  }

  /** One statement over all tables of finished tasks, the newest first. */
  #fromSlices(select: string, condition: string): string {
    const parts = this.#slices
      .toReversed()
      .map((slice) => `${select} FROM finished_${slice} WHERE task_id ${condition}`);
    return parts.join(" UNION ALL ");
  }

  #sliceAt(nowMs: number): string {
    const current = this.#slices.at(-1);
    // Never back to an earlier table: it may have been dropped when the clock was ahead.
    const slice = Math.max(Math.floor(nowMs / SLICE_MS), current ?? 0);
    if (current !== undefined && (slice === current || !this.#holdsItsPart(current))) return `finished_${current}`;
    // WITHOUT ROWID: with a text key this is one row a write instead of two.
    this.#sql.exec(
      `CREATE TABLE IF NOT EXISTS finished_${slice} (task_id TEXT PRIMARY KEY, record TEXT NOT NULL, payload TEXT NOT NULL) WITHOUT ROWID`,
    );
    this.#slices.push(slice);
    this.#rows = undefined;
    const isOver = (one: number, place: number) =>
      place < this.#slices.length - 1 - KEEP_SLICES || (this.#keep() === 0 && one < slice - KEEP_SLICES);
    for (const old of this.#slices.filter(isOver)) this.#sql.exec(`DROP TABLE finished_${old}`);
    this.#slices = this.#slices.filter((one, place) => !isOver(one, place));
    return `finished_${slice}`;
  }

  /** Whether the table has its part of the tasks that are kept by count. Counted once, then known. */
  #holdsItsPart(slice: number): boolean {
    const part = Math.ceil(this.#keep() / KEEP_SLICES);
    if (part === 0) return true;
    this.#rows ??= this.#sql
      .exec<{ rows: number }>(`SELECT count(*) AS rows FROM (SELECT 1 FROM finished_${slice} LIMIT ?)`, part)
      .one().rows;
    return this.#rows >= part;
  }
}
