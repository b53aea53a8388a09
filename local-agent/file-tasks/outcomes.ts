import { readFile, rename, unlink } from "node:fs/promises";
import { basename, join } from "node:path";
import type { RunRecord } from "../../src/core/file-tasks/attempts.ts";
import type { Claim } from "../../src/core/file-tasks/claim.ts";
import type { FileTask } from "../../src/core/file-tasks/file-task.ts";
import type { TooLargeOutput } from "../../src/core/reactions/too-large.ts";
import { moveToDeadLetters } from "../base/files/dead-letter-folder.ts";
import { ignoreMissing } from "../base/files/ignore-missing.ts";
import { pathInside } from "../base/files/path-inside.ts";
import { writeWhole } from "../base/files/write-whole.ts";
import type { CommandResult } from "../base/process/run-command.ts";
import { type LargeOutput, tooLargeOf } from "./task-command.ts";
import { baseOf, type TaskDirectories, viaOf } from "./task-directories.ts";

/** Content of `results/<worker>/<task id>.json` after a success. */
export interface TaskResult {
  readonly task_id: string;
  readonly worker: string;
  readonly status: "complete";
  readonly host: string;
  readonly started_at: string;
  readonly finished_at: string;
  readonly duration_ms: number;
  readonly attempts: number;
  /** Output of the command: parsed if it is JSON, else as text. One that is too large is a {@link TooLargeOutput}. */
  readonly result: unknown;
  /** Nonce of the claim: the same task id may be dropped again later. */
  readonly claim: string;
}

/** A successful attempt. */
export type Ending = Omit<TaskResult, "task_id" | "worker" | "status" | "claim">;

/** How a task ended. */
export type Ended =
  | { readonly status: "complete"; readonly result: string; readonly finished_at: string; readonly duration_ms: number }
  | {
      readonly status: "failed";
      readonly error: string;
      readonly attempts: number;
      readonly finished_at: string;
      /** Of the last attempt. */
      readonly duration_ms: number;
      readonly timedOut: boolean;
    };

export interface DeadTask {
  readonly reason: string;
  /** For people: attempts, or what is wrong with the file. */
  readonly details: object;
  /** When the last attempt ended; `undefined`: none was made. */
  readonly failedAt: string | undefined;
  readonly attempts: number;
  /** `undefined`: the file is no task. */
  readonly task: FileTask | undefined;
}

export interface OutcomesOptions {
  readonly tree: TaskDirectories;
  readonly worker: string;
  readonly host: string;
}

/** The files that report a task: receipt, result, notice, dead letter. Each is renamed into place when it is complete. */
export class Outcomes {
  protected readonly options: OutcomesOptions;

  constructor(options: OutcomesOptions) {
    this.options = options;
  }

  async receipt({ taskId }: Claim, { claimed_at }: RunRecord): Promise<void> {
    const { tree, worker, host } = this.options;
    const receipt = { task_id: taskId, worker, status: "accepted", host, claimed_at };
    await this.write(join(tree.receipts, `${taskId}.json`), document(receipt), false);
  }

  /** The result of this claim that an earlier owner wrote, and died before it reported the task. */
  async finished({ taskId, nonce }: Claim): Promise<TaskResult | undefined> {
    const text = await readFile(join(this.options.tree.results, `${taskId}.json`), "utf8").catch(ignoreMissing);
    if (text === undefined) return undefined;
    // A result of an earlier drop may have another form: it is replaced, and need not be readable.
    const result = this.resultIn(readJson(text));
    return isResultOf(result, nonce) ? result : undefined;
  }

  /** The result in a file of results. */
  protected resultIn(file: unknown): unknown {
    return file;
  }

  /** @param _done - the attempt of this host; none for a task that another host ran */
  async succeeded(claim: Claim, ending: Ending, _done?: CommandResult): Promise<TaskResult> {
    const result = this.resultOf(claim, ending);
    await this.write(join(this.options.tree.results, `${claim.taskId}.json`), document(result));
    return result;
  }

  /** An attempt failed, and the task is retried or given up. */
  async attemptFailed(_claim: Claim, _ending: Omit<Ending, "result">, _done: CommandResult): Promise<void> {}

  protected resultOf(claim: Claim, ending: Ending): TaskResult {
    const { worker } = this.options;
    const { host, started_at, finished_at, duration_ms, attempts, result: value } = ending;
    return {
      task_id: claim.taskId,
      worker,
      status: "complete",
      host,
      started_at,
      finished_at,
      duration_ms,
      attempts,
      result: value,
      claim: claim.nonce,
    };
  }

  /** Puts the whole output of a task beside its result. @returns what stands in the result instead */
  async keepOutput({ taskId }: Pick<Claim, "taskId">, output: LargeOutput): Promise<TooLargeOutput> {
    const { tree, host } = this.options;
    const path = this.#outputPath(taskId);
    if (output.kept.path !== null) await rename(output.kept.path, await pathInside(baseOf(tree, path), path));
    return tooLargeOf(output, path, host);
  }

  /** Removes the output of an earlier drop of this id, whose result is replaced. */
  async forgetOutput({ taskId }: Pick<Claim, "taskId">): Promise<void> {
    const path = this.#outputPath(taskId);
    await unlink(await pathInside(baseOf(this.options.tree, path), path)).catch(ignoreMissing);
  }

  #outputPath(taskId: string): string {
    return join(this.options.tree.results, `${taskId}.output`);
  }

  /** Other programs may write to the tree: nothing is written through a link that they have put there. */
  protected async write(path: string, content: string, sync = true): Promise<void> {
    const { tree } = this.options;
    await writeWhole(await pathInside(baseOf(tree, path), path), content, { sync, ...viaOf(tree, path) });
  }

  /** Notifies the orchestrator that a task has ended. A second call replaces the notice with an equal one. */
  async notice(taskId: string, ended: Ended): Promise<void> {
    const { tree, worker, host } = this.options;
    const { status, finished_at } = ended;
    const notice =
      ended.status === "complete"
        ? { status, result: ended.result, finished_at }
        : { status, error: ended.error, attempts: ended.attempts, finished_at };
    const path = join(tree.notices, `${worker}.${taskId}.json`);
    await this.write(path, document({ task_id: taskId, worker, host, ...notice }));
  }

  /** Moves a claimed file into the dead letters. @returns its name there; `undefined` when it was gone already */
  async deadLetter(
    path: string,
    { taskId }: Claim,
    { reason, details }: DeadTask,
    nowMs: number,
  ): Promise<string | undefined> {
    const { tree, worker, host } = this.options;
    const name = await moveToDeadLetters(
      path,
      `${taskId}.json`,
      tree.deadLetters,
      { reason, worker, host, ...details },
      nowMs,
      baseOf(tree, tree.deadLetters),
    );
    return name === undefined ? undefined : basename(name);
  }
}

function readJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Checks the fields that the rest of this feature reads. */
function isResultOf(value: unknown, nonce: string): value is TaskResult {
  if (typeof value !== "object" || value === null) return false;
  const { claim, finished_at, duration_ms, attempts } = value as Record<string, unknown>;
  const numbers = typeof duration_ms === "number" && typeof attempts === "number";
  return claim === nonce && typeof finished_at === "string" && numbers;
}

export function document(value: object): string {
  return `${JSON.stringify(value, null, 2)}\n`;
}
