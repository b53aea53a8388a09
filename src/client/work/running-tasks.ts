import type { LeasedTask } from "../../core/queue/api.ts";
import type { OutgoingWorkerFrame, QueueFrame } from "../../core/queue/work-frames.ts";
import { type TaskHandler, TaskRefused, TaskReleased } from "./task-handler.ts";

export interface RunningTasksOptions {
  readonly handler: TaskHandler;
  readonly leaseMs: number;
  /** Sends a frame, if the channel is open. */
  readonly send: (frame: OutgoingWorkerFrame) => void;
  /** Called when a handler has ended or a report was confirmed. */
  readonly onProgress: () => void;
  readonly onRemark: (text: string) => void;
}

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
        // Only an overloaded queue names a time. Reports that it did not take are sent again.
        if (frame.retry_after_ms !== undefined) setTimeout(() => this.resendReports(), frame.retry_after_ms);
        return;
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
    send({ type: "extend", tasks });
  }

  resendReports(): void {
    for (const report of this.#unconfirmed.values()) this.#options.send(report);
  }

  async #run(task: LeasedTask): Promise<void> {
    const { task_id, lease_id } = task;
    const aborting = new AbortController();
    this.#running.set(lease_id, { task, aborting });
    try {
      const result = await this.#options.handler(task, { signal: aborting.signal });
      if (!aborting.signal.aborted) {
        this.#report(lease_id, { type: "complete", tasks: [{ task_id, lease_id, result: result ?? null }] });
      }
    } catch (error) {
      if (error instanceof TaskReleased) this.#release(task);
      else if (!aborting.signal.aborted) {
        const retry = !(error instanceof TaskRefused);
        this.#report(lease_id, { type: "fail", tasks: [{ task_id, lease_id, error: messageOf(error), retry }] });
      }
    } finally {
      this.#running.delete(lease_id);
      this.#options.onProgress();
    }
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
