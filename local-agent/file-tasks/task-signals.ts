import type { Claim } from "../../src/core/file-tasks/claim.ts";
import { causeOf, type FileTask } from "../../src/core/file-tasks/file-task.ts";
import { traceOf } from "../../src/core/signals/trace.ts";
import { LastingRefusal } from "../base/files/lasting-error.ts";
import { errorsText, type Intake, takeIn } from "../store/intake.ts";
import type { Spool } from "../store/spool.ts";
import type { TaskResult } from "./outcomes.ts";

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

  started(task: ReportedTask, attempt: number, timeoutSeconds: number): Promise<void> {
    const facts = { attempt, timeout_ms: timeoutSeconds * 1_000 };
    return this.#put("Q_WORKER_TASK_STARTED", task, `start:${attempt}`, facts);
  }

  /** A result that is too large for a signal, or that no signal may hold, is left out, and the signal says so. */
  async complete(task: ReportedTask, { attempts, duration_ms, result }: TaskResult, path: string): Promise<void> {
    const facts = { attempts, duration_ms, result_path: path };
    const json = JSON.stringify(result) ?? "null";
    const without = { ...facts, truncated: true, result_bytes: Buffer.byteLength(json) };
    const isSmall = json.length <= RESULT_CHARS;
    const whole = isSmall ? this.#take("Q_WORKER_TASK_COMPLETE", task, "end", { ...facts, result }) : undefined;
    const taken = whole?.ok === true ? whole : this.#take("Q_WORKER_TASK_COMPLETE", task, "end", without);
    await this.#store("Q_WORKER_TASK_COMPLETE", task, "end", taken);
  }

  failed(task: ReportedTask, error: string, attempts: number): Promise<void> {
    return this.#put("Q_WORKER_TASK_FAILED", task, "end", { attempts, error: error.slice(0, 1_000) });
  }

  #put(signal: string, task: ReportedTask, step: string, facts: Record<string, unknown>): Promise<void> {
    return this.#store(signal, task, step, this.#take(signal, task, step, facts));
  }

  #take(signal: string, { claim, task }: ReportedTask, step: string, facts: Record<string, unknown>): Intake {
    const { worker, host, now } = this.#options;
    const { taskId, nonce } = claim;
    const source = `worker/${worker}@${host}`;
    const chain = task && causeOf(task);
    return takeIn(
      {
        signal,
        source,
        facts: { worker, task_id: taskId, host, claim: nonce, ...facts },
        ...(chain && { ...chain, trace: traceOf(`${nonce}:${step}`, { id: chain.cause, trace: chain.trace }) }),
      },
      now(),
    );
  }

  async #store(signal: string, { claim }: ReportedTask, step: string, taken: Intake): Promise<void> {
    if (!taken.ok) throw new LastingRefusal(`${signal} is not a valid signal: ${errorsText(taken.errors)}`);
    await this.#options.spool.put("local", [taken.signal], { taken: `worker:${claim.nonce}:${step}` });
  }
}
