import { join } from "node:path";
import {
  afterFailure,
  afterTakeOver,
  beginAttempt,
  type FailedAttempt,
  type RunRecord,
} from "../../src/core/file-tasks/attempts.ts";
import type { Claim } from "../../src/core/file-tasks/claim.ts";
import { type FileTask, type FileTaskLayout, ownTimeout, TASK_ID_RULE } from "../../src/core/file-tasks/file-task.ts";
import { isLasting } from "../base/files/lasting-error.ts";
import type { Logger } from "../base/log.ts";
import { endLeftovers } from "../base/process/leftovers.ts";
import type { CommandResult } from "../base/process/run-command.ts";
import type { Breaker } from "./breaker.ts";
import type { Claims } from "./claims.ts";
import { type FleetQueue, isRefusedForGood } from "./fleet-queue.ts";
import type { Outcomes, TaskResult } from "./outcomes.ts";
import { TaskReader } from "./read-task.ts";
import type { WorkerSettings } from "./settings.ts";
import { failureOf, outputOf, runTask } from "./task-command.ts";
import type { TaskSignals } from "./task-signals.ts";
import { reasonOf, type WorkerStats } from "./worker-stats.ts";

export interface TaskRunOptions {
  readonly settings: WorkerSettings;
  /** Root of the task directories. */
  readonly root: string;
  readonly layout: FileTaskLayout;
  readonly stats: WorkerStats;
  readonly host: string;
  readonly claims: Claims;
  readonly outcomes: Outcomes;
  readonly signals: TaskSignals;
  readonly breaker: Breaker;
  /** For workers with `scope: fleet`. */
  readonly fleet: FleetQueue | undefined;
  readonly now: () => number;
  readonly log: Logger;
  /** Milliseconds for which a file that is not JSON must not change before it is dead-lettered. */
  readonly settleMs: number;
  /** Numbers of a task that JSON readers would change became texts. */
  readonly onKeptAsText: (count: number) => void;
}

/** State of a claimed task after an attempt. */
export type Disposition =
  | { readonly is: "complete" | "failed" }
  /** The file was taken back, or the agent is stopping: nothing is left to do here. */
  | { readonly is: "left" }
  | { readonly is: "waiting"; readonly ms: number }
  /** The task is in the edge's queue, under this id. */
  | { readonly is: "submitted"; readonly id: string };

export interface AttemptCalls {
  readonly abort: AbortSignal;
  readonly onBegin: (running: RunRecord["running"]) => void;
}

/**
 * Takes a claimed task through one attempt. The order of the steps lets the next owner finish after a crash between any
 * two of them: the record before the run, the result before the notice, the notice before the signal, and the claim is
 * removed last.
 */
export class TaskRun {
  readonly #options: TaskRunOptions;
  readonly #reader: TaskReader;

  constructor(options: TaskRunOptions) {
    this.#options = options;
    this.#reader = new TaskReader(options.settings.name, options.layout);
  }

  /** @throws the error of a step that may succeed later, such as that of a full disk */
  async attempt(claim: Claim, calls: AttemptCalls): Promise<Disposition> {
    try {
      return await this.#attempt(claim, calls);
    } catch (error) {
      if (!isLasting(error)) throw error;
      // The next attempt to handle the task would fail the same way.
      return this.#deadLetter(claim, `the task cannot be handled: ${(error as Error).message}`);
    }
  }

  async #attempt(claim: Claim, calls: AttemptCalls): Promise<Disposition> {
    const { now, host, claims, outcomes, signals, settings, fleet, settleMs, onKeptAsText } = this.#options;
    const finished = await outcomes.finished(claim);
    if (finished !== undefined) return this.#succeed(claim, finished);
    const before = await claims.record(claim);
    if (before?.misnamed !== undefined) return this.#deadLetter(claim, misnamedReason(before.misnamed));
    if (before !== undefined && before.history.length >= settings.attempts) return this.#fail(claim, before.history);
    const file = await this.#reader.read(claims.path(claim), claim.taskId);
    if (file.kind === "unfinished") return { is: "waiting", ms: settleMs };
    if (file.kind === "invalid") return this.#deadLetter(claim, file.reason, file.details);
    if (file.kind === "gone") {
      await claims.release(claim);
      return { is: "left" };
    }
    const record = before ?? { claimed_at: this.#time, history: [] };
    if (before === undefined) {
      await claims.writeRecord(claim, record);
      await outcomes.receipt(claim, record);
      if (file.keptAsText > 0) onKeptAsText(file.keptAsText);
    }
    if (fleet !== undefined) return this.#submit(fleet, claim, file.task);
    const begun = beginAttempt(record, host, now());
    await claims.writeRecord(claim, begun);
    calls.onBegin(begun.running);
    const attempt = begun.running?.attempt ?? 1;
    await signals.started({ claim, task: file.task }, attempt, this.#timeoutOf(file.task));
    return this.#run(claim, begun, file.task, attempt, calls.abort);
  }

  /** After the take-over from a dead owner: ends the processes that it had started, and counts the attempt. */
  async takenOver(claim: Claim): Promise<void> {
    const { claims, outcomes, host, now, log, settings } = this.#options;
    const record = await claims.record(claim);
    const running = record?.running;
    // The attempt may still be running: two at the same time would be the worst outcome.
    if (running?.host === host) await endLeftovers([{ run: runName(claim, running.attempt), leader: undefined }]);
    if (record !== undefined && (await outcomes.finished(claim)) === undefined)
      await claims.writeRecord(claim, afterTakeOver(record, this.#retry, host, now()).record);
    log.info({ task_id: claim.taskId }, `worker ${settings.name}: a task was taken over`);
  }

  /** Asks the edge's queue for a submitted task. @returns `undefined`: the task has not ended */
  async settle(claim: Claim): Promise<Disposition | undefined> {
    const { fleet, outcomes, settings } = this.#options;
    const ending = await fleet?.ending(settings.name, claim);
    if (ending === undefined) return undefined;
    if (ending.status === "failed") return this.#fail(claim, ending.history);
    return this.#succeed(claim, await outcomes.succeeded(claim, ending));
  }

  async #submit(fleet: FleetQueue, claim: Claim, task: FileTask): Promise<Disposition> {
    const { settings } = this.#options;
    try {
      const id = await fleet.submit(claim, task, settings);
      // The task may have been submitted before, and have ended: then no further signal reports its end.
      return (await this.settle(claim)) ?? { is: "submitted", id };
    } catch (error) {
      if (!isRefusedForGood(error)) throw error;
      return this.#deadLetter(claim, `the edge refused the task: ${(error as Error).message}`);
    }
  }

  async #run(
    claim: Claim,
    record: RunRecord,
    task: FileTask,
    attempt: number,
    abort: AbortSignal,
  ): Promise<Disposition> {
    const { settings, root, host, now, claims, outcomes, breaker, stats, log } = this.#options;
    const output = claims.outputPath(claim);
    const run = runName(claim, attempt);
    const timeoutSeconds = this.#timeoutOf(task);
    const done = await runTask({ settings, root, task, attempt, run, output, abort, timeoutSeconds });
    const failure = failureOf(done);
    if (failure !== undefined) done.wholeOutput?.discard();
    if (done.ending.kind === "aborted") {
      // The agent is stopping: the attempt does not count.
      const { running: _, ...rest } = record;
      await claims.writeRecord(claim, rest);
      return { is: "left" };
    }
    await breaker.record(failure);
    stats.attempt(done.durationMs, reasonOf(done.ending));
    const finished_at = this.#time;
    const started_at = record.running?.started_at ?? finished_at;
    const ending = { host, started_at, finished_at, duration_ms: done.durationMs, attempts: attempt };
    if (failure === undefined) {
      const result = await this.#resultOf(claim, done);
      return this.#succeed(claim, await outcomes.succeeded(claim, { ...ending, result }, done));
    }
    await outcomes.attemptFailed(claim, ending, done);
    const next = afterFailure(record, failure, this.#retry, host, now(), done.ending.kind === "timed_out");
    await claims.writeRecord(claim, next.record);
    if (next.step === "dead_letter") return this.#fail(claim, next.record.history);
    stats.isRetried();
    log.warn({ task_id: claim.taskId, attempt }, `worker ${settings.name}: ${failure}`);
    return { is: "waiting", ms: Math.max(0, (next.record.not_before_ms ?? 0) - now()) };
  }

  async #resultOf(claim: Claim, done: CommandResult): Promise<unknown> {
    const { outcomes } = this.#options;
    const output = outputOf(done);
    if (output.kind === "too_large") return outcomes.keepOutput(claim, output);
    await outcomes.forgetOutput(claim);
    return output.value;
  }

  async #succeed(claim: Claim, result: TaskResult): Promise<Disposition> {
    const { settings, outcomes, signals, claims } = this.#options;
    const path = join("results", settings.name, `${claim.taskId}.json`);
    const { finished_at, duration_ms } = result;
    await outcomes.notice(claim.taskId, { status: "complete", result: path, finished_at, duration_ms });
    await signals.complete({ claim, task: await this.#dropped(claim) }, result, path);
    await claims.release(claim);
    return { is: "complete" };
  }

  #fail(claim: Claim, history: readonly FailedAttempt[]): Promise<Disposition> {
    return this.#deadLetter(claim, history.at(-1)?.error ?? "the task failed", { history }, history);
  }

  async #deadLetter(
    claim: Claim,
    reason: string,
    details: object = {},
    history: readonly FailedAttempt[] = [],
  ): Promise<Disposition> {
    const { settings, layout, outcomes, signals, claims, stats, now, log } = this.#options;
    const attempts = history.length;
    const last = history.at(-1);
    const task = attempts > 0 || layout === "classic" ? await this.#dropped(claim) : undefined;
    // Reported before the file is moved: after a crash in between, the next owner reports again. The spool recognises
    // the signal, and the notice is replaced by an equal one.
    await outcomes.notice(claim.taskId, {
      status: "failed",
      error: reason,
      attempts,
      finished_at: last?.ended_at ?? this.#time,
      duration_ms: last === undefined ? 0 : Date.parse(last.ended_at) - Date.parse(last.started_at),
      timedOut: last?.timed_out === true,
    });
    await signals.failed({ claim, task: attempts === 0 ? undefined : task }, reason, attempts);
    const dead = { reason, details, failedAt: last?.ended_at, attempts, task };
    await outcomes.deadLetter(claims.path(claim), claim, dead, now());
    await claims.release(claim);
    stats.endedInDeadLetter(attempts);
    log.warn({ task_id: claim.taskId }, `worker ${settings.name}: dead-lettered: ${reason.slice(0, 300)}`);
    return { is: "failed" };
  }

  /** The claimed file stays until the end was reported: an owner that took over reads the task's cause from it. */
  async #dropped(claim: Claim): Promise<FileTask | undefined> {
    const file = await this.#reader.read(this.#options.claims.path(claim), claim.taskId);
    return file.kind === "task" ? file.task : undefined;
  }

  #timeoutOf(task: FileTask): number {
    const { layout, settings } = this.#options;
    return (layout === "classic" ? ownTimeout(task) : undefined) ?? settings.timeout_seconds;
  }

  get #time(): string {
    return new Date(this.#options.now()).toISOString();
  }

  get #retry() {
    const { attempts, retry_seconds, retry_factor: factor, retry_max_seconds } = this.#options.settings;
    return { attempts, initial_ms: retry_seconds * 1_000, factor, max_ms: retry_max_seconds * 1_000 };
  }
}

function misnamedReason(name: string): string {
  return `${JSON.stringify(name)} cannot be the name of a task: ${TASK_ID_RULE}, and .json. Rename the file`;
}

function runName({ nonce }: Claim, attempt: number): string {
  return `worker.${nonce}.${attempt}`;
}
