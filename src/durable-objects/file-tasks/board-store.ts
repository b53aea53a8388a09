import type { BoardTask, BoardWorker } from "../../core/file-tasks/board.ts";

type TaskKey = Pick<BoardTask, "worker" | "task_id" | "claim">;

/**
 * Tables: `open_tasks` and `finished_tasks`, a row a task; `workers`, a row each. Open tasks stand apart, so that waking
 * up costs nothing for those that are finished. Without rowids, which would cost a row more.
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

  *open(): Generator<BoardTask> {
    for (const { body } of this.#sql.exec<{ body: string }>("SELECT body FROM open_tasks")) yield readBoardTask(body);
  }

  *workers(): Generator<[key: string, worker: BoardWorker]> {
    for (const { key, body } of this.#sql.exec<{ key: string; body: string }>("SELECT key, body FROM workers"))
      yield [key, readBoardWorker(body)];
  }

  /** Every drop of that id, the newest first. */
  byId(worker: string, taskId: string): BoardTask[] {
    const rows = this.#sql.exec<{ body: string }>(
      `SELECT body FROM open_tasks WHERE worker = ?1 AND task_id = ?2
         UNION ALL SELECT body FROM finished_tasks WHERE worker = ?1 AND task_id = ?2`,
      worker,
      taskId,
    );
    return [...rows].map(({ body }) => readBoardTask(body)).sort((a, b) => b.started_at.localeCompare(a.started_at));
  }

  finished({ worker, task_id, claim }: TaskKey): BoardTask | undefined {
    const [row] = this.#sql.exec<{ body: string }>(
      "SELECT body FROM finished_tasks WHERE worker = ? AND task_id = ? AND claim = ?",
      worker,
      task_id,
      claim,
    );
    return row === undefined ? undefined : readBoardTask(row.body);
  }

  get anyFinished(): boolean {
    const { found } = this.#sql.exec<{ found: number }>("SELECT EXISTS(SELECT 1 FROM finished_tasks) AS found").one();
    return found === 1;
  }

  /** @param wasOpen - whether the task stands among the open ones so far */
  write(task: BoardTask, wasOpen: boolean): void {
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

  writeWorker(key: string, worker: BoardWorker): void {
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

function readBoardTask(text: string): BoardTask {
  const stored: unknown = JSON.parse(text);
  if (!hasTexts<BoardTask>(stored, ["worker", "task_id", "claim", "status", "host", "started_at"]))
    throw new TypeError("a stored task of the board lacks a field");
  return stored;
}

function readBoardWorker(text: string): BoardWorker {
  const stored: unknown = JSON.parse(text);
  if (!hasTexts<BoardWorker>(stored, ["worker", "host", "last_at"]))
    throw new TypeError("a stored worker of the board lacks a field");
  return stored;
}

function hasTexts<Shape>(value: unknown, fields: readonly (keyof Shape & string)[]): value is Shape {
  if (typeof value !== "object" || value === null) return false;
  const record = value as Record<string, unknown>;
  return fields.every((field) => typeof record[field] === "string");
}
