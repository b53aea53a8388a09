import { existsSync } from "node:fs";
import { join } from "node:path";
import type { RunRecord } from "../../src/core/file-tasks/attempts.ts";
import type { Claim } from "../../src/core/file-tasks/claim.ts";
import { DirectoryWatch } from "../base/files/directory-watch.ts";
import { Breaker } from "./breaker.ts";
import { Claims } from "./claims.ts";
import type { FileWorkerOptions } from "./file-worker-options.ts";
import { FleetQueue } from "./fleet-queue.ts";
import { FleetRunner } from "./fleet-runner.ts";
import { type Heartbeat, writeHeartbeat } from "./heartbeats.ts";
import { Outcomes } from "./outcomes.ts";
import { ReadyClaims } from "./ready-claims.ts";
import type { WorkerSettings } from "./settings.ts";
import { SubmittedTasks } from "./submitted-tasks.ts";
import { makeTaskDirectories, type TaskDirectories, taskDirectories } from "./task-directories.ts";
import { type Disposition, TaskRun } from "./task-run.ts";
import type { WorkerHealth } from "./worker-health.ts";

/** Tasks that are submitted to the edge at the same time; `concurrency` limits those that run. */
const SUBMISSIONS = 10;

/**
 * One file worker: watches its directory, claims a file only when a slot is free, so that other hosts that share the
 * directory get tasks too, and runs each claimed task to its end.
 */
export class FileWorker {
  readonly #options: FileWorkerOptions;
  readonly #tree: TaskDirectories;
  readonly #claims: Claims;
  #settings: WorkerSettings;
  #run: TaskRun;
  readonly #fleet: FleetRunner | undefined;
  readonly #watch: DirectoryWatch;
  readonly #breaker: Breaker;
  /** Unclaimed files in the directory, in the order in which they were seen. */
  readonly #waiting = new Set<string>();
  readonly #ready = new ReadyClaims(() => this.#pump());
  readonly #submitted = new SubmittedTasks();
  readonly #running = new Map<string, { readonly taskId: string; attempt?: RunRecord["running"] }>();
  readonly #work = new Set<Promise<void>>();
  #stopping = new AbortController();
  #active = false;
  #failure: string | undefined;
  #complete = 0;
  #failed = 0;

  constructor(options: FileWorkerOptions) {
    this.#options = options;
    const { settings, root, host, staleMs, log, edge, signals, now } = options;
    this.#settings = settings;
    this.#tree = taskDirectories(root, settings.name);
    this.#claims = new Claims({ tree: this.#tree, host, staleMs });
    this.#breaker = new Breaker({
      failures: settings.breaker_failures,
      openMs: settings.breaker_seconds * 1_000,
      onChange: () => this.#changed(),
    });
    if (settings.scope === "fleet")
      this.#fleet = new FleetRunner({ ...edge, settings, root, host, signals, now, log, runs: this.#tree.claimed });
    this.#run = this.#taskRun();
    this.#watch = new DirectoryWatch({
      directory: this.#tree.tasks,
      rescanMs: options.rescanMs ?? 5_000,
      onName: (name) => this.#offer(name),
      onScan: (failure) => this.#scanned(failure),
      log,
    });
  }

  get health(): WorkerHealth {
    const running = [...this.#running.values()];
    return {
      worker: this.#name,
      state: this.#state,
      ...(this.#failure !== undefined && { detail: this.#failure }),
      running: running.flatMap(({ taskId, attempt }) =>
        attempt === undefined ? [] : [{ task_id: taskId, attempt: attempt.attempt, started_at: attempt.started_at }],
      ),
      waiting: this.#waiting.size,
      retrying: this.#ready.size,
      submitted: this.#submitted.size,
      for_fleet: this.#fleet?.running ?? 0,
      complete: this.#complete,
      failed: this.#failed,
    };
  }

  get settings(): WorkerSettings {
    return this.#settings;
  }

  /**
   * Continues with other settings of the same worker, with the same `scope`. Attempts under way finish by the old
   * settings; every later attempt uses the new ones.
   */
  configure(settings: WorkerSettings): void {
    const { breaker_failures: failures, breaker_seconds } = settings;
    const before = this.#settings;
    this.#settings = settings;
    this.#run = this.#taskRun();
    if (failures !== before.breaker_failures || breaker_seconds !== before.breaker_seconds)
      this.#breaker.configure({ failures, openMs: breaker_seconds * 1_000 });
    this.#fleet?.configure(settings);
    this.#changed();
  }

  #taskRun(): TaskRun {
    const { root, host, signals, now, log, edge, settleMs = 300 } = this.#options;
    const settings = this.#settings;
    return new TaskRun({
      settings,
      root,
      host,
      signals,
      now,
      log,
      settleMs,
      claims: this.#claims,
      breaker: this.#breaker,
      outcomes: new Outcomes({ tree: this.#tree, worker: settings.name, host }),
      fleet: settings.scope === "fleet" ? new FleetQueue(edge) : undefined,
    });
  }

  beat(beat: Heartbeat): Promise<void> {
    return writeHeartbeat(beat, { tree: this.#tree, via: this.#tree.claimed });
  }

  async start(): Promise<void> {
    if (this.#active) return;
    await makeTaskDirectories(this.#options.root, this.#name);
    this.#stopping = new AbortController();
    this.#active = true;
    this.#submitted.start(this.#options.now());
    await this.#fleet?.start();
    await this.#watch.start();
  }

  /** Aborts the attempts under way. The next owner repeats them, and they do not count as failed. */
  async stop(): Promise<void> {
    if (!this.#active) return;
    this.#active = false;
    this.#stopping.abort();
    this.#breaker.stop();
    await this.#watch.stop();
    this.#ready.clear();
    this.#waiting.clear();
    await Promise.all([this.#fleet?.stop(), ...this.#work]);
    this.#submitted.clear();
    await this.#claims.abandon();
  }

  /** Shows other hosts that the claims have an owner. */
  renew(): Promise<void> {
    return this.#claims.renew(this.#options.now());
  }

  /** A task of the edge's queue has ended. Ignores tasks that this worker did not submit. */
  ended(id: string): void {
    const claim = this.#submitted.get(id);
    if (claim !== undefined && this.#active) this.#track(this.#settle(id, claim));
  }

  #scanned(failure: string | undefined): void {
    if (failure !== this.#failure) {
      if (failure !== undefined) this.#options.log.error(`worker ${this.#name}: ${failure}`);
      this.#failure = failure;
      this.#options.onChange();
    }
    if (failure !== undefined || !this.#active) return;
    // With each scan: an owner may have died since the last one.
    this.#track(this.#takeOver());
    for (const id of this.#submitted.dueIds(this.#options.now())) this.ended(id);
  }

  #offer(name: string): void {
    if (!this.#active || !name.endsWith(".json") || name.startsWith(".")) return;
    // The kernel reports removed files too, mostly because they were claimed.
    if (this.#waiting.has(name) || this.#running.has(claiming(name)) || !existsSync(join(this.#tree.tasks, name)))
      return;
    this.#waiting.add(name);
    this.#pump();
  }

  #changed(): void {
    this.#options.onChange();
    this.#pump();
  }

  get #freeSlots(): number {
    const { state } = this.#breaker;
    if (!this.#active || state === "open") return 0;
    const { scope, concurrency } = this.#settings;
    const slots = scope === "fleet" ? SUBMISSIONS : concurrency;
    return (state === "half_open" ? 1 : slots) - this.#running.size;
  }

  #pump(): void {
    while (this.#freeSlots > 0) {
      const claim = this.#ready.take();
      if (claim !== undefined) {
        this.#begin(claim);
        continue;
      }
      const [name] = this.#waiting;
      if (name === undefined) return;
      this.#waiting.delete(name);
      // The slot is taken from here on: no second file must be claimed for it meanwhile.
      this.#running.set(claiming(name), { taskId: name });
      this.#track(this.#claim(name));
    }
  }

  async #claim(name: string): Promise<void> {
    try {
      const claim = await this.#claims.take(name);
      if (claim !== undefined) this.#begin(claim);
    } finally {
      this.#running.delete(claiming(name));
      this.#pump();
    }
  }

  #begin(claim: Claim): void {
    const slot: { readonly taskId: string; attempt?: RunRecord["running"] } = { taskId: claim.taskId };
    this.#running.set(claim.nonce, slot);
    const onBegin = (attempt: RunRecord["running"]) => {
      slot.attempt = attempt;
      this.#options.onChange();
    };
    this.#track(
      this.#run
        .attempt(claim, { abort: this.#stopping.signal, onBegin })
        .then((disposition) => this.#dispose(claim, disposition))
        .catch((error: unknown) => {
          const { log, rescanMs = 5_000 } = this.#options;
          log.error({ err: error, task_id: claim.taskId }, `worker ${this.#name}: a task could not be handled`);
          // Most likely a full disk. This host holds the claim, so it tries again.
          this.#pause(claim, rescanMs);
        })
        .finally(() => {
          this.#running.delete(claim.nonce);
          this.#changed();
        }),
    );
  }

  #dispose(claim: Claim, disposition: Disposition): void {
    if (disposition.is === "complete") this.#complete++;
    else if (disposition.is === "failed") this.#failed++;
    else if (disposition.is === "waiting") this.#pause(claim, disposition.ms);
    else if (disposition.is === "submitted") this.#submitted.add(disposition.id, claim);
  }

  async #settle(id: string, claim: Claim): Promise<void> {
    const disposition = await this.#run.settle(claim);
    if (disposition === undefined) return;
    this.#submitted.delete(id);
    this.#dispose(claim, disposition);
    this.#options.onChange();
  }

  #track(work: Promise<void>): void {
    const tracked = work.catch((error: unknown) =>
      this.#options.log.error({ err: error }, `worker ${this.#name}: a claim could not be handled`),
    );
    this.#work.add(tracked);
    void tracked.finally(() => this.#work.delete(tracked));
  }

  #pause(claim: Claim, ms: number): void {
    if (this.#active) this.#ready.addAfter(claim, ms);
  }

  async #takeOver(): Promise<void> {
    for (const claim of await this.#claims.takeOver(this.#options.now())) {
      await this.#run.takenOver(claim);
      this.#ready.add(claim);
    }
    this.#pump();
  }

  get #state(): WorkerHealth["state"] {
    if (!this.#active) return "stopped";
    if (this.#failure !== undefined) return "failing";
    if (this.#breaker.state === "open") return "open";
    return this.#running.size > 0 || (this.#fleet?.running ?? 0) > 0 ? "working" : "idle";
  }

  get #name(): string {
    return this.#settings.name;
  }
}

/** Key of a slot while its file is being claimed. */
function claiming(name: string): string {
  return `claiming ${name}`;
}
