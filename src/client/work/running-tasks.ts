import type { LeasedTask } from "../../core/queue/api.ts";
import { MAX_TASKS } from "../../core/queue/task-input.ts";
import { resultJson } from "../../core/queue/task-result.ts";
import type { OutgoingWorkerFrame, QueueFrame, RefusedWorkFrame } from "../../core/queue/work-frames.ts";
import type { LockOptions } from "../locks/acquire-waiting.ts";
import type { ConnectedLocks } from "../locks/open-locks.ts";
import { type TaskContext, type TaskHandler, type TaskLockOptions, TaskRefused, TaskReleased } from "./task-handler.ts";

export interface RunningTasksOptions {
  readonly handler: TaskHandler;
  readonly leaseMs: number;
  /** Sends a frame, if the channel is open. */
  readonly send: (frame: OutgoingWorkerFrame) => void;
  /** Called when a handler has ended or a report was confirmed. */
  readonly onProgress: () => void;
  readonly onRemark: (text: string) => void;
  /** Does work while a lock is held. */
  readonly withLock: ConnectedLocks["withLock"];
  /** Begins the names of those who own locks: a recipient of the worker. */
  readonly owner: string;
}

/** Of a lock that says nothing else. */
const LOCK_TTL_MS = 30_000;

interface RunningTask {
  readonly task: LeasedTask;
  readonly aborting: AbortController;
}

/** The frame that reports how a task ended. */
type Report = Extract<OutgoingWorkerFrame, { type: "complete" | "fail" | "release" }>;

/**
 * The tasks that a worker has leased. leased → running → reported → confirmed; running → aborted when the lease is lost
 * or the task is cancelled.
 *
 * A report is kept until the queue confirms it, and sent again on the next connection: the queue recognises a
 * completion that it has seen.
 */
export class RunningTasks {
  readonly #options: RunningTasksOptions;
  /** By lease id, as are the reports. */
  readonly #running = new Map<string, RunningTask>();
  readonly #unconfirmed = new Map<string, Report>();
  #accepting = true;

  constructor(options: RunningTasksOptions) {
    this.#options = options;
  }

  /** Number of running handlers. */
  get running(): number {
    return this.#running.size;
  }

  /** Number of reports that the queue has not confirmed. */
  get unconfirmed(): number {
    return this.#unconfirmed.size;
  }

  /** Tasks that arrive from now on are released: the queue may have sent them before it knew that the worker stops. */
  stopAccepting(): void {
    this.#accepting = false;
  }

  handle(frame: QueueFrame): void {
    switch (frame.type) {
      case "tasks":
        for (const task of frame.tasks) {
          if (this.#accepting) void this.#run(task);
          else this.#release(task);
        }
        return;
      case "done":
        for (const { lease_id, status } of frame.tasks) if (status !== "running") this.#unconfirmed.delete(lease_id);
        break;
      case "conflict":
        for (const { lease_id } of frame.tasks) this.#abort(lease_id, "the lease was lost");
        break;
      case "cancel":
        for (const { lease_id, reason } of frame.tasks) this.#abort(lease_id, reason);
        break;
      case "refused":
        this.#options.onRemark(`the queue refused a frame: ${frame.problem.title}`);
        this.#handleRefusal(frame);
        break;
    }
    this.#options.onProgress();
  }

  renewLeases(): void {
    const { leaseMs, send } = this.#options;
    if (this.#running.size === 0) return;
    const tasks = [...this.#running.values()].map(({ task: { task_id, lease_id } }) => ({
      task_id,
      lease_id,
      lease_ms: leaseMs,
    }));
    // Tasks of several connections may be running: more than one frame may name.
    for (let first = 0; first < tasks.length; first += MAX_TASKS)
      send({ type: "extend", tasks: tasks.slice(first, first + MAX_TASKS) });
  }

  /** @param leaseIds - default: those of all reports */
  resendReports(leaseIds: Iterable<string> = [...this.#unconfirmed.keys()]): void {
    for (const leaseId of leaseIds) {
      const report = this.#unconfirmed.get(leaseId);
      if (report !== undefined) this.#options.send(report);
    }
  }

  async #run(task: LeasedTask): Promise<void> {
    const { task_id, lease_id } = task;
    const aborting = new AbortController();
    this.#running.set(lease_id, { task, aborting });
    let evidence: unknown;
    const give = (value: unknown) => {
      evidence = value;
    };
    try {
      const { signal } = aborting;
      const withLock: TaskContext["withLock"] = (name, options, work) =>
        this.#options.withLock(name, this.#lockOptions(task, options, signal), work);
      const result = await this.#options.handler(task, { signal, evidence: give, withLock });
      if (!aborting.signal.aborted) {
        const kept = resultJson(result);
        // Another attempt would give the same result, so the task fails now and for good.
        if ("json" in kept) {
          this.#report(lease_id, {
            type: "complete",
            tasks: [{ task_id, lease_id, result: result ?? null, evidence }],
          });
        } else this.#fail(task, kept.error, false);
      }
    } catch (error) {
      if (error instanceof TaskReleased) this.#release(task);
      else if (!aborting.signal.aborted) {
        this.#fail(task, messageOf(error), !(error instanceof TaskRefused));
      }
    } finally {
      this.#running.delete(lease_id);
      this.#options.onProgress();
    }
  }

  #lockOptions({ task_id, lease_id }: LeasedTask, options: TaskLockOptions, aborted: AbortSignal): LockOptions {
    const signal = options.signal === undefined ? aborted : AbortSignal.any([aborted, options.signal]);
    return { owner: `${this.#options.owner}/${lease_id}`, ttlMs: LOCK_TTL_MS, task: task_id, ...options, signal };
  }

  /** Reports that an overloaded queue did not take are sent again; a result that it will never take fails its task. */
  #handleRefusal({ frame: type, tasks, problem, retry_after_ms }: RefusedWorkFrame): void {
    // Only an overloaded queue names a time. A queue that does not name the tasks may have refused any report.
    if (retry_after_ms !== undefined) {
      const refused = tasks?.map(({ lease_id }) => lease_id);
      setTimeout(() => this.resendReports(refused), retry_after_ms);
      return;
    }
    if (type === "extend") return;
    for (const { task_id, lease_id } of tasks ?? []) {
      const report = this.#unconfirmed.get(lease_id);
      this.#unconfirmed.delete(lease_id);
      if (report?.type !== "complete") continue;
      const reason = problem.detail === undefined ? problem.title : `${problem.title}: ${problem.detail}`;
      this.#fail({ task_id, lease_id }, `the queue refused the result: ${reason}`.slice(0, 4_000), false);
    }
  }

  #fail({ task_id, lease_id }: Pick<LeasedTask, "task_id" | "lease_id">, error: string, retry: boolean): void {
    this.#report(lease_id, { type: "fail", tasks: [{ task_id, lease_id, error, retry }] });
  }

  #release({ task_id, lease_id }: LeasedTask): void {
    this.#report(lease_id, { type: "release", tasks: [{ task_id, lease_id }] });
  }

  #report(leaseId: string, report: Report): void {
    this.#unconfirmed.set(leaseId, report);
    this.#options.send(report);
  }

  #abort(leaseId: string, reason: string): void {
    this.#unconfirmed.delete(leaseId);
    this.#running.get(leaseId)?.aborting.abort(new Error(reason));
  }
}

function messageOf(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).slice(0, 4_000) || "the handler threw no message";
}
