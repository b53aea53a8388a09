import { existsSync } from "node:fs";
import { join } from "node:path";
import type { RunRecord } from "../../src/core/file-tasks/attempts.ts";
import type { Claim } from "../../src/core/file-tasks/claim.ts";
import { DirectoryWatch } from "../base/files/directory-watch.ts";
import type { Logger } from "../base/log.ts";
import { Breaker } from "./breaker.ts";
import { Claims } from "./claims.ts";
import { FleetQueue, type FleetQueueOptions } from "./fleet-queue.ts";
import { FleetRunner } from "./fleet-runner.ts";
import { type Heartbeat, writeHeartbeat } from "./heartbeats.ts";
import { Outcomes } from "./outcomes.ts";
import type { WorkerSettings } from "./settings.ts";
import { type DropTree, dropTree, makeDropTree } from "./task-directories.ts";
import { type Disposition, TaskRun } from "./task-run.ts";
import type { TaskSignals } from "./task-signals.ts";

export interface DropWorkerOptions {
  readonly settings: WorkerSettings;
  /** Root of the drop tree. */
  readonly root: string;
  readonly host: string;
  readonly staleMs: number;
  /** Where the edge is, for workers whose tasks any host may do. */
  readonly edge: FleetQueueOptions;
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
  /** Claimed tasks that are in the edge's queue, for any host that has room. */
  readonly submitted: number;
  /** Tasks of any host that this one is doing now. */
  readonly for_fleet: number;
  /** Since the start. */
  readonly complete: number;
  readonly failed: number;
}

/** Files that are handed to the edge at the same time; to run them is another matter. */
const SUBMISSIONS = 10;
/** A submitted task is asked after so often, should the signal of its end be lost to this host. */
const ASK_MS = 300_000;

/**
 * One worker: watches its directory, claims a file when there is room to run it, so that others who share the directory
 * get their part, and sees each claim through.
 */
export class FileWorker {
  readonly #options: DropWorkerOptions;
  readonly #tree: DropTree;
  readonly #claims: Claims;
  #settings: WorkerSettings;
  #run: TaskRun;
  readonly #fleet: FleetRunner | undefined;
  readonly #watch: DirectoryWatch;
  readonly #breaker: Breaker;
  /** Names in the directory, oldest known first. */
  readonly #waiting = new Set<string>();
  /** Claims of ours that may run now. */
  readonly #ready: Claim[] = [];
  readonly #pauses = new Map<string, NodeJS.Timeout>();
  readonly #submitted = new Map<string, Claim>();
  readonly #running = new Map<string, { readonly taskId: string; attempt?: RunRecord["running"] }>();
  readonly #work = new Set<Promise<void>>();
  #stopping = new AbortController();
  #active = false;
  #failure: string | undefined;
  #askedMs = 0;
  #complete = 0;
  #failed = 0;

  constructor(options: DropWorkerOptions) {
    this.#options = options;
    const { settings, root, host, staleMs, log, edge, signals, now } = options;
    this.#settings = settings;
    this.#tree = dropTree(root, settings.name);
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
      retrying: this.#pauses.size + this.#ready.length,
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
   * Goes on with other settings of the same worker, under the same `scope`. What runs finishes by the old ones; what
   * waits, for its first attempt or for the next, begins by the new ones.
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
      ...{ settings, root, host, signals, now, log, settleMs },
      ...{ claims: this.#claims, breaker: this.#breaker },
      outcomes: new Outcomes({ tree: this.#tree, worker: settings.name, host }),
      fleet: settings.scope === "fleet" ? new FleetQueue(edge) : undefined,
    });
  }

  beat(beat: Heartbeat): Promise<void> {
    return writeHeartbeat(beat, { tree: this.#tree, via: this.#tree.claimed });
  }

  async start(): Promise<void> {
    if (this.#active) return;
    await makeDropTree(this.#options.root, this.#name);
    this.#stopping = new AbortController();
    this.#active = true;
    this.#askedMs = this.#options.now();
    await this.#fleet?.start();
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
    await Promise.all([this.#fleet?.stop(), ...this.#work]);
    this.#submitted.clear();
    await this.#claims.letGo();
  }

  /** Tells other hosts that the claims have an owner. */
  renew(): Promise<void> {
    return this.#claims.renew(this.#options.now());
  }

  /** The edge says that a task of its queue is over. Nothing happens when it is none of ours. */
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
    // With each look: an owner may have died since.
    this.#track(this.#takeOver());
    const nowMs = this.#options.now();
    if (nowMs - this.#askedMs < ASK_MS) return;
    this.#askedMs = nowMs;
    for (const id of this.#submitted.keys()) this.ended(id);
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
    const { scope, concurrency } = this.#settings;
    const slots = scope === "fleet" ? SUBMISSIONS : concurrency;
    return (state === "half_open" ? 1 : slots) - this.#running.size;
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
      // The slot is taken from here on: a second file must not be claimed for it meanwhile.
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
          // The disk, most likely. The claim is ours; it is tried again rather than left to lie.
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
    else if (disposition.is === "submitted") this.#submitted.set(disposition.id, claim);
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
    if (!this.#active) return;
    const timer = setTimeout(() => {
      this.#pauses.delete(claim.nonce);
      this.#ready.push(claim);
      this.#pump();
    }, ms);
    this.#pauses.set(claim.nonce, timer);
  }

  async #takeOver(): Promise<void> {
    for (const claim of await this.#claims.takeOver(this.#options.now())) {
      await this.#run.takenOver(claim);
      this.#ready.push(claim);
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

/** Key of a slot whose claim is under way. */
function claiming(name: string): string {
  return `claiming ${name}`;
}
