import type { FileTaskRecord, FileWorkerCounts, FileWorkerView } from "../../core/file-tasks/api.ts";
import { afterReport, countReport, readTaskReport } from "../../core/file-tasks/board.ts";
import type { Signal } from "../../core/signals/signal.ts";
import type { Decisions, SignalDecisions } from "../shell/decisions.ts";
import type { ProjectedState } from "../shell/projected-state.ts";
import type { BoardStore } from "./board-store.ts";

const SOURCE = "ganglion/workers";
/** Finished tasks are kept for this long, in milliseconds: a week. */
const KEEP_MS = 7 * 86_400_000;
/** Old finished tasks are deleted once in this time, in milliseconds, and only while there are any. */
const CLEAN_MS = 86_400_000;

export interface FileTaskBoardOptions {
  readonly store: BoardStore;
  readonly wakeBy: (atMs: number) => void;
  readonly decide: (change: (decisions: Decisions) => void) => void;
  /** Called in the transaction that stores the end of a task, once. */
  readonly ended: (outcome: string) => void;
}

/** The file tasks and workers of all hosts, as their signals report them. Emits a signal for each overdue attempt. */
export class FileTaskBoard implements ProjectedState {
  readonly #options: FileTaskBoardOptions;
  /** Unfinished tasks, by key. */
  readonly #open = new Map<string, FileTaskRecord>();
  readonly #workers = new Map<string, FileWorkerCounts>();
  readonly #changed = new Set<string>();
  #cleanAtMs: number | undefined;

  constructor(options: FileTaskBoardOptions) {
    this.#options = options;
    this.load();
  }

  get workers(): FileWorkerView[] {
    return [...this.#workers.values()].map((worker) => {
      const unfinished = [...this.#open.values()].filter(
        (task) => task.worker === worker.worker && task.host === worker.host,
      );
      const overdue = unfinished.filter(({ status }) => status === "overdue").length;
      return { ...worker, running: unfinished.length - overdue, overdue };
    });
  }

  take(signal: Signal, { replaying }: Pick<SignalDecisions, "replaying">): void {
    const report = readTaskReport(signal);
    const before = this.#open.get(keyOf(report)) ?? this.#options.store.finished(report);
    const after = afterReport(before, report);
    if (after === undefined) return;
    this.#write(after);
    this.#count(after, signal.received_at);
    if (after.finished_at !== undefined && !replaying) this.#options.ended(after.status);
  }

  store(): void {
    for (const key of this.#changed) {
      const worker = this.#workers.get(key);
      if (worker !== undefined) this.#options.store.writeWorker(key, worker);
    }
    this.#changed.clear();
  }

  clear(): void {
    this.#options.store.clear();
  }

  load(): void {
    this.#open.clear();
    this.#workers.clear();
    this.#changed.clear();
    for (const task of this.#options.store.open()) this.#open.set(keyOf(task), task);
    for (const [key, worker] of this.#options.store.workers()) this.#workers.set(key, worker);
  }

  settled(nowMs: number): void {
    const { store, decide, wakeBy } = this.#options;
    const running = () => [...this.#open.values()].filter(({ status }) => status === "running");
    const overdue = running().filter((task) => dueMs(task) <= nowMs);
    if (overdue.length > 0) {
      decide((decisions) => {
        for (const task of overdue) this.#markOverdue(task, decisions, nowMs);
        this.store();
      });
    }
    if (this.#cleanAtMs !== undefined && nowMs >= this.#cleanAtMs) {
      store.forgetFinishedBefore(nowMs - KEEP_MS);
      this.#cleanAtMs = undefined;
    }
    const next = Math.min(...running().map(dueMs));
    if (Number.isFinite(next)) wakeBy(next);
    this.#cleanAtMs ??= store.anyFinished ? nowMs + CLEAN_MS : undefined;
    if (this.#cleanAtMs !== undefined) wakeBy(this.#cleanAtMs);
  }

  #markOverdue(task: FileTaskRecord, decisions: Decisions, nowMs: number): void {
    const { worker, task_id, claim, host, attempt, started_at } = task;
    this.#write({ ...task, status: "overdue" });
    this.#count({ ...task, status: "overdue" }, new Date(nowMs).toISOString());
    decisions.emit({
      signal: "Q_WORKER_TASK_TIMEOUT",
      source: SOURCE,
      timestampMs: nowMs,
      facts: { worker, task_id, claim, host, attempt, started_at },
    });
  }

  #write(task: FileTaskRecord): void {
    const wasOpen = this.#open.has(keyOf(task));
    this.#options.store.write(task, wasOpen);
    if (task.finished_at === undefined) this.#open.set(keyOf(task), task);
    else this.#open.delete(keyOf(task));
  }

  #count(task: FileTaskRecord, reportedAt: string): void {
    const key = `${task.worker}@${task.host}`;
    this.#workers.set(key, countReport(this.#workers.get(key), task, reportedAt));
    this.#changed.add(key);
  }
}

function keyOf({ worker, task_id, claim }: FileTaskRecord): string {
  return `${worker} ${task_id} ${claim}`;
}

function dueMs({ due_at }: FileTaskRecord): number {
  return due_at === undefined ? Number.POSITIVE_INFINITY : Date.parse(due_at);
}
