import type { Claim } from "../../src/core/file-tasks/claim.ts";
import { causeOf, type FileTask } from "../../src/core/file-tasks/file-task.ts";
import { traceOf } from "../../src/core/signals/trace.ts";
import { takeIn } from "../store/intake.ts";
import type { Spool } from "../store/spool.ts";
import type { TaskResult } from "./outcomes.ts";
import type { WorkerSettings } from "./settings.ts";

/** Results larger than this do not go along with the signal; they lie in the file. */
const RESULT_CHARS = 16_384;

/** One drop of a task, and what was dropped, where that could be read. */
interface Told {
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
 * Tells the edge about tasks (R52). Each is told once however often it is said: the spool knows what it has taken. Where
 * the dropped file names the signal that led to it, what is told of the task names it, too (R31).
 */
export class TaskSignals {
  readonly #options: TaskSignalsOptions;

  constructor(options: TaskSignalsOptions) {
    this.#options = options;
  }

  started(task: Told, attempt: number, { timeout_seconds }: WorkerSettings): Promise<void> {
    const facts = { attempt, timeout_ms: timeout_seconds * 1_000 };
    return this.#put("Q_WORKER_TASK_STARTED", task, `start:${attempt}`, facts);
  }

  complete(task: Told, { attempts, duration_ms, result }: TaskResult, path: string): Promise<void> {
    const small = JSON.stringify(result).length <= RESULT_CHARS;
    const facts = { attempts, duration_ms, result_path: path, ...(small && { result }) };
    return this.#put("Q_WORKER_TASK_COMPLETE", task, "end", facts);
  }

  failed(task: Told, error: string, attempts: number): Promise<void> {
    return this.#put("Q_WORKER_TASK_FAILED", task, "end", { attempts, error: error.slice(0, 1_000) });
  }

  async #put(signal: string, { claim, task }: Told, step: string, facts: Record<string, unknown>): Promise<void> {
    const { worker, host, spool, now } = this.#options;
    const { taskId, nonce } = claim;
    const source = `worker/${worker}@${host}`;
    const chain = task && causeOf(task);
    const taken = takeIn(
      {
        ...{ signal, source, facts: { worker, task_id: taskId, host, claim: nonce, ...facts } },
        ...(chain && { ...chain, trace: traceOf(`${nonce}:${step}`, { id: chain.cause, trace: chain.trace }) }),
      },
      now(),
    );
    if (!taken.ok) throw new Error(`${signal} is not valid: ${taken.errors.map(({ message }) => message).join("; ")}`);
    await spool.put("local", [taken.signal], { taken: `worker:${nonce}:${step}` });
  }
}
