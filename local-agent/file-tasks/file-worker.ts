import type { RunRecord } from "../../src/core/file-tasks/attempts.ts";
import type { Claim } from "../../src/core/file-tasks/claim.ts";
import type { BackOff } from "../base/back-off.ts";
import { Breaker } from "./breaker.ts";
import { Claims } from "./claims.ts";
import { DroppedTasks } from "./dropped-tasks.ts";
import type { FileWorkerOptions } from "./file-worker-options.ts";
import { FleetQueue } from "./fleet-queue.ts";
import { FleetRunner } from "./fleet-runner.ts";
import type { Heartbeat } from "./heartbeats.ts";
import { ReadyClaims } from "./ready-claims.ts";
import type { WorkerSettings } from "./settings.ts";
import { SubmittedTasks } from "./submitted-tasks.ts";
import { makeTaskDirectories, type TaskDirectories, taskDirectories } from "./task-directories.ts";
import { type Disposition, TaskRun } from "./task-run.ts";
import { type RunningSlot, runningOf, slotsOf, stateOf, type WorkerHealth } from "./worker-health.ts";
import { outcomesIn, taskBackOff, writeBeat } from "./worker-parts.ts";
import { WorkerStats } from "./worker-stats.ts";

/**
 * One file worker: watches its directory, claims a file only when a slot is free, so that other hosts that share the
 * directory get tasks too, and runs each claimed task to its end.
 */
export class FileWorker {
  readonly stats: WorkerStats;
  readonly #options: FileWorkerOptions;
  readonly #tree: TaskDirectories;
  readonly #claims: Claims;
  #settings: WorkerSettings;
  #run: TaskRun;
  readonly #fleet: FleetRunner | undefined;
  readonly #dropped: DroppedTasks;
  readonly #breaker: Breaker;
  readonly #ready = new ReadyClaims(() => this.#pump());
  readonly #submitted = new SubmittedTasks();
  readonly #running = new Map<string, RunningSlot>();
  /** Files and claims whose handling failed. */
  readonly #backOff: BackOff;
  readonly #work = new Set<Promise<void>>();
  #stopping = new AbortController();
  #active = false;
  #failure: string | undefined;
  #complete = 0;
  #failed = 0;

  constructor(options: FileWorkerOptions) {
    this.#options = options;
    const { settings, place, layout, host, staleMs, log, edge, signals, now, rescanMs = 5_000 } = options;
    this.#settings = settings;
    this.stats = new WorkerStats((seconds) => options.onAttempt?.(settings.name, seconds));
    this.#tree = taskDirectories(place, settings.name);
    this.#claims = new Claims({ tree: this.#tree, host, staleMs });
    this.#breaker = new Breaker({
      failures: settings.breaker_failures,
      openMs: settings.breaker_seconds * 1_000,
      onChange: () => this.#changed(),
    });
    if (settings.scope === "fleet")
      this.#fleet = new FleetRunner({
        ...edge,
        settings,
        place,
        layout,
        host,
        signals,
        now,
        log,
        runs: this.#tree.claimed,
      });
    this.#run = this.#taskRun();
    const what = `worker ${settings.name}`;
    this.#backOff = taskBackOff(what, rescanMs, log);
    this.#dropped = new DroppedTasks({
      directory: this.#tree.tasks,
      rescanMs,
      prepare: () => this.#prepare(),
      mayTake: (name) => !this.#running.has(claiming(name)) && !this.#backOff.waits(name),
      onNew: () => this.#pump(),
      onFailure: (failure) => this.#failWith(failure),
      onScan: () => this.#scanned(),
      what,
      log,
    });
  }

  get health(): WorkerHealth {
    const busy = this.#running.size + (this.#fleet?.running ?? 0);
    return {
      worker: this.#name,
      state: stateOf(this.#active, this.#failure, this.#breaker.state, busy),
      breaker: this.#breaker.state,
      ...(this.#failure !== undefined && { detail: this.#failure }),
      running: runningOf(this.#running.values()),
      waiting: this.#dropped.size,
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
    const { place, layout, host, signals, now, log, edge, settleMs = 300, onKeptAsText } = this.#options;
    const settings = this.#settings;
    return new TaskRun({
      settings,
      root: place.root,
      layout,
      stats: this.stats,
      host,
      signals,
      now,
      log,
      settleMs,
      onKeptAsText,
      claims: this.#claims,
      breaker: this.#breaker,
      outcomes: outcomesIn(layout, { tree: this.#tree, worker: settings.name, host }),
      fleet: settings.scope === "fleet" ? new FleetQueue(edge) : undefined,
    });
  }

  beat(beat: Heartbeat): Promise<void> {
    return writeBeat(this.#options.layout, beat, { tree: this.#tree, health: this.health, stats: this.stats });
  }

  async start(): Promise<void> {
    if (this.#active) return;
    this.#stopping = new AbortController();
    this.#active = true;
    await this.#dropped.start();
  }

  async #prepare(): Promise<void> {
    await makeTaskDirectories(this.#options.place, this.#name);
    this.#submitted.start(this.#options.now());
    await this.#fleet?.start();
  }

  /** Aborts the attempts under way. The next owner repeats them, and they do not count as failed. */
  async stop(): Promise<void> {
    if (!this.#active) return;
    this.#active = false;
    this.#stopping.abort();
    this.#breaker.stop();
    await this.#dropped.stop();
    this.#ready.clear();
    await Promise.all([this.#fleet?.stop(), ...this.#work]);
    this.#submitted.clear();
    await this.#claims.abandon();
  }

  /** Shows other hosts that the claims have an owner. */
  renew(nowMs: number): Promise<void> {
    return this.#claims.renew(nowMs);
  }

  /** A task of the edge's queue has ended. Ignores tasks that this worker did not submit. */
  ended(id: string): void {
    const claim = this.#submitted.get(id);
    if (claim !== undefined && this.#active) this.#track(this.#settle(id, claim));
  }

  #failWith(failure: string | undefined): void {
    if (failure === this.#failure) return;
    if (failure !== undefined) this.#options.log.error(`worker ${this.#name}: ${failure}`);
    this.#failure = failure;
    this.#options.onChange();
  }

  #scanned(): void {
    // With each scan: an owner may have died since the last one.
    this.#track(this.#takeOver());
    for (const id of this.#submitted.dueIds(this.#options.now())) this.ended(id);
  }

  #changed(): void {
    this.#options.onChange();
    this.#pump();
  }

  #pump(): void {
    while (this.#active && slotsOf(this.#settings, this.#breaker.state) > this.#running.size) {
      const claim = this.#ready.take();
      if (claim !== undefined) {
        this.#begin(claim);
        continue;
      }
      const name = this.#dropped.take();
      if (name === undefined) return;
      // The slot is taken from here on: no second file must be claimed for it meanwhile.
      this.#running.set(claiming(name), { taskId: name });
      this.#track(this.#claim(name));
    }
  }

  async #claim(name: string): Promise<void> {
    try {
      const claim = await this.#claims.take(name, this.#options.now());
      this.#backOff.succeeded(name);
      if (claim !== undefined) this.#begin(claim);
    } catch (error) {
      this.#backOff.failed(name, error);
    } finally {
      this.#running.delete(claiming(name));
      this.#pump();
    }
  }

  #begin(claim: Claim): void {
    const slot: RunningSlot = { taskId: claim.taskId };
    this.#running.set(claim.nonce, slot);
    const onBegin = (attempt: RunRecord["running"]) => {
      slot.attempt = attempt;
      this.#options.onChange();
    };
    this.#track(
      this.#run
        .attempt(claim, { abort: this.#stopping.signal, onBegin })
        .then((disposition) => {
          this.#backOff.succeeded(claim.nonce);
          this.#dispose(claim, disposition);
        })
        // A full disk, or an edge that is away: this host holds the claim, so it tries again.
        .catch((error: unknown) => this.#pause(claim, this.#backOff.failed(claim.nonce, error)))
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
      // A claim of which this fails is handled like any other, and hides none of its neighbours.
      await this.#run.takenOver(claim).catch((error: unknown) => this.#backOff.failed(claim.nonce, error));
      this.#ready.add(claim);
    }
    this.#pump();
  }

  get #name(): string {
    return this.#settings.name;
  }
}

/** Key of a slot while its file is being claimed. */
function claiming(name: string): string {
  return `claiming ${name}`;
}
