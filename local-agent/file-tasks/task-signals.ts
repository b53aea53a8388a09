import type { Claim } from "../../src/core/file-tasks/claim.ts";
import { causeOf, type FileTask } from "../../src/core/file-tasks/file-task.ts";
import { traceOf } from "../../src/core/signals/trace.ts";
import { errorsText, takeIn } from "../store/intake.ts";
import type { Spool } from "../store/spool.ts";
import type { TaskResult } from "./outcomes.ts";
import type { WorkerSettings } from "./settings.ts";

/** A larger result is not part of the signal; readers find it in its file. */
const RESULT_CHARS = 16_384;

/** One drop of a task, with its content if that could be read. */
interface ReportedTask {
  readonly claim: Pick<Claim, "taskId" | "nonce">;
  readonly task: FileTask | undefined;
}

export interface TaskSignalsOptions {
  readonly worker: string;
  readonly host: string;
  readonly spool: Spool;
  readonly now: () => number;
}

/**
 * Reports tasks to the edge. A repeated report is one signal: the spool recognises its identity. If the dropped file
 * names its cause, the signals of the task name it too.
 */
export class TaskSignals {
  readonly #options: TaskSignalsOptions;

  constructor(options: TaskSignalsOptions) {
    this.#options = options;
  }

  started(task: ReportedTask, attempt: number, { timeout_seconds }: WorkerSettings): Promise<void> {
    const facts = { attempt, timeout_ms: timeout_seconds * 1_000 };
    return this.#put("Q_WORKER_TASK_STARTED", task, `start:${attempt}`, facts);
  }

  complete(task: ReportedTask, { attempts, duration_ms, result }: TaskResult, path: string): Promise<void> {
    const small = JSON.stringify(result).length <= RESULT_CHARS;
    const facts = { attempts, duration_ms, result_path: path, ...(small && { result }) };
    return this.#put("Q_WORKER_TASK_COMPLETE", task, "end", facts);
  }

  failed(task: ReportedTask, error: string, attempts: number): Promise<void> {
    return this.#put("Q_WORKER_TASK_FAILED", task, "end", { attempts, error: error.slice(0, 1_000) });
  }

  async #put(
    signal: string,
    { claim, task }: ReportedTask,
    step: string,
    facts: Record<string, unknown>,
  ): Promise<void> {
    const { worker, host, spool, now } = this.#options;
    const { taskId, nonce } = claim;
    const source = `worker/${worker}@${host}`;
    const chain = task && causeOf(task);
    const taken = takeIn(
      {
        signal,
        source,
        facts: { worker, task_id: taskId, host, claim: nonce, ...facts },
        ...(chain && { ...chain, trace: traceOf(`${nonce}:${step}`, { id: chain.cause, trace: chain.trace }) }),
      },
      now(),
    );
    if (!taken.ok) throw new Error(`${signal} is not a valid signal: ${errorsText(taken.errors)}`);
    await spool.put("local", [taken.signal], { taken: `worker:${nonce}:${step}` });
  }
}
