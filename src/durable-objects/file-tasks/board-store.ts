import type { FileTaskRecord, FileWorkerCounts } from "../../core/file-tasks/api.ts";
import { readStoredFileTask, readStoredFileWorker } from "../../core/file-tasks/board.ts";
import { readableRows } from "../shell/readable-rows.ts";

type TaskKey = Pick<FileTaskRecord, "worker" | "task_id" | "claim">;

/**
 * Tables: `open_tasks` and `finished_tasks`, one row for each task; `workers`, one row for each worker of a host. Open
 * tasks have their own table, so that waking up reads no finished ones. WITHOUT ROWID saves one row for each write.
 */
export class BoardStore {
  readonly #sql: SqlStorage;

  constructor(sql: SqlStorage) {
    this.#sql = sql;
    for (const table of ["open_tasks", "finished_tasks"]) {
      sql.exec(
        `CREATE TABLE IF NOT EXISTS ${table} (worker TEXT, task_id TEXT, claim TEXT, changed_ms INTEGER NOT NULL,
           body TEXT NOT NULL, PRIMARY KEY (worker, task_id, claim)) WITHOUT ROWID`,
      );
    }
    sql.exec("CREATE TABLE IF NOT EXISTS workers (key TEXT PRIMARY KEY, body TEXT NOT NULL) WITHOUT ROWID");
  }

  *open(): Generator<FileTaskRecord> {
    const rows = this.#sql.exec<{ body: string }>("SELECT body FROM open_tasks");
    yield* readableRows("open file tasks", rows, ({ body }) => readStoredFileTask(body));
  }

  *workers(): Generator<[key: string, worker: FileWorkerCounts]> {
    const rows = this.#sql.exec<{ key: string; body: string }>("SELECT key, body FROM workers");
    yield* readableRows("workers of file tasks", rows, ({ key, body }): [string, FileWorkerCounts] => [
      key,
      readStoredFileWorker(body),
    ]);
  }

  /** All tasks of this id, newest first. */
  byId(worker: string, taskId: string): FileTaskRecord[] {
    const rows = this.#sql.exec<{ body: string }>(
      `SELECT body FROM open_tasks WHERE worker = ?1 AND task_id = ?2
         UNION ALL SELECT body FROM finished_tasks WHERE worker = ?1 AND task_id = ?2`,
      worker,
      taskId,
    );
    return [...readableRows("file tasks", rows, ({ body }) => readStoredFileTask(body))].sort((a, b) =>
      b.started_at.localeCompare(a.started_at),
    );
  }

  finished({ worker, task_id, claim }: TaskKey): FileTaskRecord | undefined {
    const [row] = this.#sql.exec<{ body: string }>(
      "SELECT body FROM finished_tasks WHERE worker = ? AND task_id = ? AND claim = ?",
      worker,
      task_id,
      claim,
    );
    return row === undefined ? undefined : readStoredFileTask(row.body);
  }

  get anyFinished(): boolean {
    const { found } = this.#sql.exec<{ found: number }>("SELECT EXISTS(SELECT 1 FROM finished_tasks) AS found").one();
    return found === 1;
  }

  /** @param wasOpen - whether the table `open_tasks` holds the task */
  write(task: FileTaskRecord, wasOpen: boolean): void {
    const { worker, task_id, claim, started_at, finished_at } = task;
    const table = finished_at === undefined ? "open_tasks" : "finished_tasks";
    this.#sql.exec(
      `INSERT OR REPLACE INTO ${table} (worker, task_id, claim, changed_ms, body) VALUES (?, ?, ?, ?, ?)`,
      worker,
      task_id,
      claim,
      Date.parse(finished_at ?? started_at),
      JSON.stringify(task),
    );
    if (finished_at === undefined || !wasOpen) return;
    this.#sql.exec("DELETE FROM open_tasks WHERE worker = ? AND task_id = ? AND claim = ?", worker, task_id, claim);
  }

  writeWorker(key: string, worker: FileWorkerCounts): void {
    this.#sql.exec("INSERT OR REPLACE INTO workers (key, body) VALUES (?, ?)", key, JSON.stringify(worker));
  }

  forgetFinishedBefore(atMs: number): void {
    this.#sql.exec("DELETE FROM finished_tasks WHERE changed_ms < ?", atMs);
  }

  clear(): void {
    this.#sql.exec("DELETE FROM open_tasks");
    this.#sql.exec("DELETE FROM finished_tasks");
    this.#sql.exec("DELETE FROM workers");
  }
}
