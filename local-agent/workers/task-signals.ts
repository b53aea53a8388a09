import type { Claim } from "../../src/core/workers/claim.ts";
import { takeIn } from "../intake.ts";
import type { Spool } from "../spool.ts";
import type { TaskResult } from "./outcomes.ts";
import type { WorkerSettings } from "./settings.ts";

/** Results larger than this do not go along with the signal; they lie in the file. */
const RESULT_CHARS = 16_384;

/** One drop of a task. */
type TaskName = Pick<Claim, "taskId" | "nonce">;

export interface TaskSignalsOptions {
  readonly worker: string;
  readonly host: string;
  readonly spool: Spool;
  readonly now: () => number;
}

/** Tells the edge about tasks (R52). Each is told once however often it is said: the spool knows what it has taken. */
export class TaskSignals {
  readonly #options: TaskSignalsOptions;

  constructor(options: TaskSignalsOptions) {
    this.#options = options;
  }

  started(claim: TaskName, attempt: number, { timeout_seconds }: WorkerSettings): Promise<void> {
    const facts = { attempt, timeout_ms: timeout_seconds * 1_000 };
    return this.#put("Q_WORKER_TASK_STARTED", claim, `start:${attempt}`, facts);
  }

  complete(claim: TaskName, { attempts, duration_ms, result }: TaskResult, path: string): Promise<void> {
    const small = JSON.stringify(result).length <= RESULT_CHARS;
    const facts = { attempts, duration_ms, result_path: path, ...(small && { result }) };
    return this.#put("Q_WORKER_TASK_COMPLETE", claim, "end", facts);
  }

  failed(claim: TaskName, error: string, attempts: number): Promise<void> {
    return this.#put("Q_WORKER_TASK_FAILED", claim, "end", { attempts, error: error.slice(0, 1_000) });
  }

  async #put(signal: string, { taskId, nonce }: TaskName, step: string, facts: Record<string, unknown>): Promise<void> {
    const { worker, host, spool, now } = this.#options;
    const source = `worker/${worker}@${host}`;
    const taken = takeIn({ signal, source, facts: { worker, task_id: taskId, host, claim: nonce, ...facts } }, now());
    if (!taken.ok) throw new Error(`${signal} is not valid: ${taken.errors.map(({ message }) => message).join("; ")}`);
    await spool.put("local", [taken.signal], { taken: `worker:${nonce}:${step}` });
  }
}
