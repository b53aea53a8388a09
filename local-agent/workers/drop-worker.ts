import { existsSync } from "node:fs";
import { join } from "node:path";
import { afterFailure, afterTakeOver, beginAttempt, type RunRecord } from "../../src/core/workers/attempts.ts";
import type { Claim } from "../../src/core/workers/claim.ts";
import { type DroppedTask, readDroppedTask } from "../../src/core/workers/dropped-task.ts";
import { DirectoryWatch } from "../intents/directory-watch.ts";
import { readIntent, type Stamp } from "../intents/read-intent.ts";
import type { Logger } from "../log.ts";
import { endLeftovers, RUN_VARIABLE } from "../process/leftovers.ts";
import { runCommand } from "../process/run-command.ts";
import { Breaker } from "./breaker.ts";
import { Claims } from "./claims.ts";
import { type DropTree, dropTree, makeDropTree } from "./drop-tree.ts";
import { failureOf, Outcomes, type TaskResult } from "./outcomes.ts";
import type { WorkerSettings } from "./settings.ts";
import type { TaskSignals } from "./task-signals.ts";

export interface DropWorkerOptions {
  readonly settings: WorkerSettings;
  /** Root of the drop tree. */
  readonly root: string;
  readonly host: string;
  readonly staleMs: number;
  readonly signals: TaskSignals;
  readonly now: () => number;
  readonly log: Logger;
  readonly onChange: () => void;
  /** Between two looks at the directories; default 5,000. */
  readonly rescanMs?: number;
  /** How long a file that is not JSON must stand unchanged before it is given up; default 300. */
  readonly settleMs?: number;
}

/** What a worker is doing, for people and for the edge. */
export interface WorkerHealth {
  readonly worker: string;
  readonly state: "idle" | "working" | "open" | "stopped" | "failing";
  readonly detail?: string;
  readonly running: readonly { readonly task_id: string; readonly attempt: number; readonly started_at: string }[];
  /** Files that lie there and were not claimed. */
  readonly waiting: number;
  /** Claimed tasks that wait for their next attempt. */
  readonly retrying: number;
  /** Since the start. */
  readonly complete: number;
  readonly failed: number;
}

const MAX_TASK = { what: "a task", maxBytes: 1024 * 1024 };

/**
 * Runs a command for each file that is dropped into a directory (R48–R51). A task is claimed by a rename only when
 * there is room to run it, so that others who share the directory get their part. Everything that follows is done in
 * an order in which a crash between any two steps leaves something that the next owner can finish: the record before
 * the run, the result before the notice, the notice before the signal, and the claim goes last.
 */
export class DropWorker {
  readonly #options: DropWorkerOptions;
  readonly #tree: DropTree;
  readonly #claims: Claims;
  readonly #outcomes: Outcomes;
  readonly #watch: DirectoryWatch;
  readonly #breaker: Breaker;
  /** Names in the directory, oldest known first. */
  readonly #waiting = new Set<string>();
  /** Claims of ours that may run now. */
  readonly #ready: Claim[] = [];
  readonly #pauses = new Map<string, NodeJS.Timeout>();
  readonly #running = new Map<string, { readonly claim: Claim; attempt?: RunRecord["running"] }>();
  readonly #unparsed = new Map<string, Stamp>();
  readonly #work = new Set<Promise<void>>();
  #stopping = new AbortController();
  #active = false;
  #failure: string | undefined;
  #complete = 0;
  #failed = 0;

  constructor(options: DropWorkerOptions) {
    this.#options = options;
    const { settings, root, host, staleMs, log } = options;
    this.#tree = dropTree(root, settings.name);
    this.#claims = new Claims({ tree: this.#tree, host, staleMs });
    this.#outcomes = new Outcomes({ tree: this.#tree, worker: settings.name, host });
    this.#breaker = new Breaker({
      failures: settings.breaker_failures,
      openMs: settings.breaker_seconds * 1_000,
      onChange: () => this.#changed(),
    });
    this.#watch = new DirectoryWatch({
      directory: this.#tree.tasks,
      rescanMs: options.rescanMs ?? 5_000,
      onName: (name) => this.#offer(name),
      onScan: (failure) => this.#scanned(failure),
      log,
    });
  }

  get health(): WorkerHealth {
    const state = !this.#active
      ? "stopped"
      : this.#failure !== undefined
        ? "failing"
        : this.#breaker.state === "open"
          ? "open"
          : this.#running.size > 0
            ? "working"
            : "idle";
    return {
      worker: this.#options.settings.name,
      state,
      ...(this.#failure !== undefined && { detail: this.#failure }),
      running: [...this.#running.values()].map(({ claim, attempt }) => ({
        task_id: claim.taskId,
        attempt: attempt?.attempt ?? 0,
        started_at: attempt?.started_at ?? "",
      })),
      waiting: this.#waiting.size,
      retrying: this.#pauses.size + this.#ready.length,
      complete: this.#complete,
      failed: this.#failed,
    };
  }

  get heartbeatPath(): string {
    return this.#tree.heartbeat;
  }

  /** Where files are written before they are put in place. */
  get temporaries(): string {
    return this.#tree.claimed;
  }

  async start(): Promise<void> {
    if (this.#active) return;
    await makeDropTree(this.#options.root, this.#options.settings.name);
    this.#stopping = new AbortController();
    this.#active = true;
    await this.#watch.start();
  }

  /** Ends what runs; it is begun again by the next owner, and that does not count as a failed attempt. */
  async stop(): Promise<void> {
    if (!this.#active) return;
    this.#active = false;
    this.#stopping.abort();
    this.#breaker.stop();
    await this.#watch.stop();
    for (const timer of this.#pauses.values()) clearTimeout(timer);
    this.#pauses.clear();
    this.#ready.length = 0;
    this.#waiting.clear();
    await Promise.all(this.#work);
  }

  /** Tells other hosts that the claims have an owner. */
  renew(): Promise<void> {
    return this.#claims.renew(this.#options.now());
  }

  #scanned(failure: string | undefined): void {
    if (failure !== this.#failure) {
      if (failure !== undefined) this.#log.error(`worker ${this.#name}: ${failure}`);
      this.#failure = failure;
      this.#options.onChange();
    }
    // With each look: an owner may have died since.
    if (failure === undefined && this.#active) this.#track(this.#takeOver());
  }

  #offer(name: string): void {
    if (!this.#active || !name.endsWith(".json") || name.startsWith(".")) return;
    // The kernel tells of files that were taken away, too: by a claim, mostly.
    if (this.#waiting.has(name) || this.#running.has(claiming(name)) || !existsSync(join(this.#tree.tasks, name)))
      return;
    this.#waiting.add(name);
    this.#pump();
  }

  #changed(): void {
    this.#options.onChange();
    this.#pump();
  }

  get #room(): number {
    const { state } = this.#breaker;
    if (!this.#active || state === "open") return 0;
    return (state === "half_open" ? 1 : this.#options.settings.concurrency) - this.#running.size;
  }

  #pump(): void {
    while (this.#room > 0) {
      const claim = this.#ready.shift();
      if (claim !== undefined) {
        this.#begin(claim);
        continue;
      }
      const [name] = this.#waiting;
      if (name === undefined) return;
      this.#waiting.delete(name);
      this.#claim(name);
    }
  }

  /** The slot is taken from here on: a second file must not be claimed for it meanwhile. */
  #claim(name: string): void {
    const slot = claiming(name);
    const taskId = name.slice(0, -".json".length);
    const none = { host: "", boot: "", pid: 0, start: 0 };
    this.#running.set(slot, { claim: { taskId, nonce: "", owner: none } });
    this.#track(
      this.#claims.take(name).then((claim) => {
        this.#running.delete(slot);
        if (claim === undefined) this.#pump();
        else this.#begin(claim);
      }),
    );
  }

  #begin(claim: Claim): void {
    this.#running.set(claim.nonce, { claim });
    this.#options.onChange();
    this.#track(
      this.#attempt(claim)
        .catch((error: unknown) => {
          this.#log.error({ err: error, task_id: claim.taskId }, `worker ${this.#name}: a task could not be handled`);
          // The disk, most likely. The claim is ours; it is tried again rather than left to lie.
          this.#pause(claim, this.#options.rescanMs ?? 5_000);
        })
        .finally(() => {
          this.#running.delete(claim.nonce);
          this.#changed();
        }),
    );
  }

  #track(work: Promise<void>): void {
    const tracked = work.catch((error: unknown) =>
      this.#log.error({ err: error }, `worker ${this.#name}: claiming failed`),
    );
    this.#work.add(tracked);
    void tracked.finally(() => this.#work.delete(tracked));
  }

  #pause(claim: Claim, ms: number): void {
    if (!this.#active) return;
    const timer = setTimeout(() => {
      this.#pauses.delete(claim.nonce);
      this.#ready.push(claim);
      this.#pump();
    }, ms);
    this.#pauses.set(claim.nonce, timer);
  }

  async #takeOver(): Promise<void> {
    const { host, now } = this.#options;
    for (const claim of await this.#claims.takeOver(now())) {
      const record = await this.#claims.record(claim);
      const running = record?.running;
      // What the dead owner had started may still run: two of it at the same time would be the worst outcome.
      if (running?.host === host) await endLeftovers([{ run: runName(claim, running.attempt), leader: undefined }]);
      if (record !== undefined && (await this.#outcomes.finished(claim)) === undefined) {
        const next = afterTakeOver(record, this.#retry, host, now());
        await this.#claims.writeRecord(claim, next.record);
      }
      this.#log.info({ task_id: claim.taskId }, `worker ${this.#name}: a task was taken over`);
      this.#ready.push(claim);
    }
    this.#pump();
  }

  async #attempt(claim: Claim): Promise<void> {
    const { now, host, signals } = this.#options;
    const finished = await this.#outcomes.finished(claim);
    if (finished !== undefined) return this.#succeed(claim, finished);
    const before = await this.#claims.record(claim);
    if (before !== undefined && before.history.length >= this.#retry.attempts) return this.#fail(claim, before);
    const task = await this.#read(claim);
    if (task === undefined) return;
    const record = beginAttempt(before ?? { claimed_at: this.#time, history: [] }, host, now());
    await this.#claims.writeRecord(claim, record);
    if (before === undefined) await this.#outcomes.receipt(claim, record);
    const attempt = record.running?.attempt ?? 1;
    const slot = this.#running.get(claim.nonce);
    if (slot !== undefined) slot.attempt = record.running;
    await signals.started(claim, attempt, this.#options.settings);
    await this.#run(claim, record, task, attempt);
  }

  async #run(claim: Claim, record: RunRecord, task: DroppedTask, attempt: number): Promise<void> {
    const { settings, root, host, now } = this.#options;
    const [program = "", ...args] = settings.command;
    const done = await runCommand({
      command: [program, ...args],
      cwd: settings.directory ?? root,
      env: {
        ...settings.environment,
        [RUN_VARIABLE]: runName(claim, attempt),
        GANGLION_WORKER: settings.name,
        GANGLION_TASK_ID: task.task_id,
        GANGLION_ATTEMPT: String(attempt),
      },
      input: `${JSON.stringify(task)}\n`,
      timeoutMs: settings.timeout_seconds * 1_000,
      abort: this.#stopping.signal,
    }).result;
    if (done.ending.kind === "aborted") {
      const { running: _, ...rest } = record;
      return this.#claims.writeRecord(claim, rest);
    }
    const failure = failureOf(done);
    await this.#breaker.record(failure);
    if (failure === undefined) {
      return this.#succeed(claim, await this.#outcomes.succeeded(claim, record, done, now()));
    }
    const next = afterFailure(record, failure, this.#retry, host, now());
    await this.#claims.writeRecord(claim, next.record);
    if (next.step === "bury") return this.#fail(claim, next.record);
    this.#log.warn({ task_id: claim.taskId, attempt }, `worker ${this.#name}: ${failure}`);
    this.#pause(claim, Math.max(0, (next.record.not_before_ms ?? 0) - now()));
  }

  async #succeed(claim: Claim, result: TaskResult): Promise<void> {
    const path = join("results", this.#name, `${claim.taskId}.json`);
    await this.#outcomes.notice(claim.taskId, { status: "complete", result: path, finished_at: result.finished_at });
    await this.#options.signals.complete(claim, result, path);
    await this.#claims.release(claim);
    this.#complete++;
  }

  async #fail(claim: Claim, { history }: RunRecord): Promise<void> {
    await this.#bury(claim, history.at(-1)?.error ?? "it failed", { history });
  }

  async #bury(claim: Claim, reason: string, details: { readonly [detail: string]: unknown }): Promise<void> {
    const { now, signals } = this.#options;
    const history = Array.isArray(details.history) ? details.history.length : 0;
    // Told before the file is moved: after a crash in between the claim is still there, and it is told again, which
    // the spool knows and the notice does not mind.
    await this.#outcomes.notice(claim.taskId, {
      status: "failed",
      error: reason,
      attempts: history,
      finished_at: this.#time,
    });
    await signals.failed(claim, reason, history);
    await this.#outcomes.bury(this.#claims.path(claim), claim, reason, details, now());
    await this.#claims.release(claim);
    this.#failed++;
    this.#log.warn({ task_id: claim.taskId }, `worker ${this.#name}: given up: ${reason.slice(0, 300)}`);
  }

  /** @returns `undefined`: there is nothing to run, now or ever; it has been seen to */
  async #read(claim: Claim): Promise<DroppedTask | undefined> {
    const file = await readIntent(this.#claims.path(claim), `${claim.taskId}.json`, MAX_TASK);
    switch (file.kind) {
      case "gone":
        // Somebody has taken the task back.
        await this.#claims.release(claim);
        return undefined;
      case "changing":
        this.#pause(claim, this.#settleMs);
        return undefined;
      case "unreadable":
        await this.#bury(claim, file.reason, {});
        return undefined;
      case "unparsed":
        // It may still be being written, by somebody who does not rename.
        if (this.#unparsed.get(claim.nonce) !== file.stamp) {
          this.#unparsed.set(claim.nonce, file.stamp);
          this.#pause(claim, this.#settleMs);
          return undefined;
        }
        this.#unparsed.delete(claim.nonce);
        await this.#bury(claim, file.reason, {});
        return undefined;
      case "intent": {
        this.#unparsed.delete(claim.nonce);
        const read = readDroppedTask(file.value, this.#name, claim.taskId);
        if (read.ok) return read.task;
        await this.#bury(claim, read.reason, read.errors === undefined ? {} : { errors: read.errors });
        return undefined;
      }
    }
  }

  get #name(): string {
    return this.#options.settings.name;
  }

  get #log(): Logger {
    return this.#options.log;
  }

  get #time(): string {
    return new Date(this.#options.now()).toISOString();
  }

  get #settleMs(): number {
    return this.#options.settleMs ?? 300;
  }

  get #retry() {
    const { attempts, retry_seconds, retry_max_seconds } = this.#options.settings;
    return { attempts, initial_ms: retry_seconds * 1_000, max_ms: retry_max_seconds * 1_000 };
  }
}

/** Key of a slot whose claim is under way. */
function claiming(name: string): string {
  return `claiming ${name}`;
}

function runName({ nonce }: Claim, attempt: number): string {
  return `worker.${nonce}.${attempt}`;
}
