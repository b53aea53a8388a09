import { afterReport, type BoardTask, type BoardWorker, countReport, readTask } from "../../core/file-tasks/board.ts";
import type { Signal } from "../../core/signals/signal.ts";
import type { Environment } from "../../workers/environment.ts";
import { type Outgoing, Projection } from "../shell/projection.ts";

const SOURCE = "ganglion/workers";
/** What is over is kept for so long. */
const KEEP_MS = 7 * 86_400_000;
/** Old tasks are cleaned away so often, and only while there are any. */
const CLEAN_MS = 86_400_000;

/** Dropped tasks of all hosts and the workers that do them (R52): what became of each, and who is late. */
export class WorkerBoard extends Projection {
  /** Not over yet, by key. */
  readonly #open = new Map<string, BoardTask>();
  readonly #workers = new Map<string, BoardWorker>();
  readonly #changed = new Set<string>();
  #cleanAtMs: number | undefined;

  constructor(ctx: DurableObjectState, env: Environment) {
    super(ctx, env, "workers");
    // What is open stands apart, so that waking up costs nothing for what is over. Without rowids, which cost a row more.
    for (const table of ["open_tasks", "finished_tasks"]) {
      this.sql.exec(
        `CREATE TABLE IF NOT EXISTS ${table} (worker TEXT, task_id TEXT, claim TEXT, changed_ms INTEGER NOT NULL,
           body TEXT NOT NULL, PRIMARY KEY (worker, task_id, claim)) WITHOUT ROWID`,
      );
    }
    this.sql.exec("CREATE TABLE IF NOT EXISTS workers (key TEXT PRIMARY KEY, body TEXT NOT NULL) WITHOUT ROWID");
    this.load();
  }

  workers(): (BoardWorker & { running: number; overdue: number })[] {
    return [...this.#workers.values()].map((worker) => {
      const own = [...this.#open.values()].filter((task) => task.worker === worker.worker && task.host === worker.host);
      const overdue = own.filter(({ status }) => status === "overdue").length;
      return { ...worker, running: own.length - overdue, overdue };
    });
  }

  /** Every drop of that id, the newest first. */
  task(worker: string, taskId: string): BoardTask[] {
    const rows = this.sql.exec<{ body: string }>(
      `SELECT body FROM open_tasks WHERE worker = ?1 AND task_id = ?2
         UNION ALL SELECT body FROM finished_tasks WHERE worker = ?1 AND task_id = ?2`,
      worker,
      taskId,
    );
    return [...rows]
      .map(({ body }) => JSON.parse(body) as BoardTask)
      .sort((a, b) => b.started_at.localeCompare(a.started_at));
  }

  protected override take(signal: Signal): void {
    const report = readTask(signal);
    const before = this.#open.get(keyOf(report)) ?? this.#finished(report);
    const after = afterReport(before, report);
    if (after === undefined) return;
    this.#write(after);
    this.#count(after, signal.received_at);
  }

  protected override store(): void {
    for (const key of this.#changed) {
      const body = JSON.stringify(this.#workers.get(key));
      this.sql.exec("INSERT OR REPLACE INTO workers (key, body) VALUES (?, ?)", key, body);
    }
    this.#changed.clear();
  }

  protected override clear(): void {
    this.sql.exec("DELETE FROM open_tasks");
    this.sql.exec("DELETE FROM finished_tasks");
    this.sql.exec("DELETE FROM workers");
  }

  protected override load(): void {
    this.#open.clear();
    this.#workers.clear();
    this.#changed.clear();
    for (const { body } of this.sql.exec<{ body: string }>("SELECT body FROM open_tasks")) {
      const task = JSON.parse(body) as BoardTask;
      this.#open.set(keyOf(task), task);
    }
    for (const { key, body } of this.sql.exec<{ key: string; body: string }>("SELECT key, body FROM workers"))
      this.#workers.set(key, JSON.parse(body) as BoardWorker);
  }

  protected override settled(nowMs: number): void {
    const late = [...this.#open.values()].filter((task) => task.status === "running" && dueMs(task) <= nowMs);
    if (late.length > 0) {
      this.decide((outgoing) => {
        for (const task of late) this.#overdue(task, outgoing, nowMs);
        this.store();
      });
    }
    if (this.#cleanAtMs !== undefined && nowMs >= this.#cleanAtMs) {
      this.sql.exec("DELETE FROM finished_tasks WHERE changed_ms < ?", nowMs - KEEP_MS);
      this.#cleanAtMs = undefined;
    }
    const next = Math.min(...[...this.#open.values()].filter(({ status }) => status === "running").map(dueMs));
    if (Number.isFinite(next)) this.wakeBy(next);
    this.#cleanAtMs ??= this.#anyFinished ? nowMs + CLEAN_MS : undefined;
    if (this.#cleanAtMs !== undefined) this.wakeBy(this.#cleanAtMs);
  }

  #overdue(task: BoardTask, outgoing: Pick<Outgoing, "emit">, nowMs: number): void {
    const { worker, task_id, claim, host, attempt, started_at } = task;
    this.#write({ ...task, status: "overdue" });
    this.#count({ ...task, status: "overdue" }, new Date(nowMs).toISOString());
    outgoing.emit({
      signal: "Q_WORKER_TASK_TIMEOUT",
      source: SOURCE,
      timestampMs: nowMs,
      facts: { worker, task_id, claim, host, attempt, started_at },
    });
  }

  #write(task: BoardTask): void {
    const { worker, task_id, claim, started_at, finished_at } = task;
    const table = finished_at === undefined ? "open_tasks" : "finished_tasks";
    const changedMs = Date.parse(finished_at ?? started_at);
    this.sql.exec(
      `INSERT OR REPLACE INTO ${table} (worker, task_id, claim, changed_ms, body) VALUES (?, ?, ?, ?, ?)`,
      ...[worker, task_id, claim, changedMs, JSON.stringify(task)],
    );
    if (finished_at === undefined) {
      this.#open.set(keyOf(task), task);
      return;
    }
    const key = "WHERE worker = ? AND task_id = ? AND claim = ?";
    if (this.#open.delete(keyOf(task))) this.sql.exec(`DELETE FROM open_tasks ${key}`, worker, task_id, claim);
  }

  #count(task: BoardTask, at: string): void {
    const key = `${task.worker}@${task.host}`;
    this.#workers.set(key, countReport(this.#workers.get(key), task, at));
    this.#changed.add(key);
  }

  #finished({ worker, task_id, claim }: BoardTask): BoardTask | undefined {
    const [row] = this.sql.exec<{ body: string }>(
      "SELECT body FROM finished_tasks WHERE worker = ? AND task_id = ? AND claim = ?",
      ...[worker, task_id, claim],
    );
    return row === undefined ? undefined : (JSON.parse(row.body) as BoardTask);
  }

  get #anyFinished(): boolean {
    const { found } = this.sql.exec<{ found: number }>("SELECT EXISTS(SELECT 1 FROM finished_tasks) AS found").one();
    return found === 1;
  }
}

function keyOf({ worker, task_id, claim }: BoardTask): string {
  return `${worker} ${task_id} ${claim}`;
}

function dueMs({ due_at }: BoardTask): number {
  return due_at === undefined ? Number.POSITIVE_INFINITY : Date.parse(due_at);
}
