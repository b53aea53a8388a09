import { isDeepStrictEqual } from "node:util";
import { Listeners } from "../base/listeners.ts";
import type { Logger } from "../base/log.ts";
import type { Report, ReportingService } from "../base/service.ts";
import type { Spool } from "../store/spool.ts";
import { FileWorker } from "./file-worker.ts";
import type { FileWorkerOptions } from "./file-worker-options.ts";
import type { WorkerSettings, WorkersSettings } from "./settings.ts";
import { TaskSignals } from "./task-signals.ts";
import type { WorkerHealth } from "./worker-health.ts";
import type { WorkerStats } from "./worker-stats.ts";

export interface FileWorkersOptions extends Pick<FileWorkerOptions, "edge" | "onAttempt" | "rescanMs" | "settleMs"> {
  readonly settings: WorkersSettings;
  /** Root of the task directories. */
  readonly root: string;
  readonly host: string;
  readonly spool: Spool;
  readonly now: () => number;
  readonly log: Logger;
}

/** The file workers of this host, and their heartbeats. */
export class FileWorkers implements ReportingService {
  readonly name = "workers";
  readonly #options: FileWorkersOptions;
  #settings: WorkersSettings;
  #workers: readonly FileWorker[];
  readonly #listeners = new Listeners();
  /** Workers whose heartbeat could not be written, with the reason. */
  readonly #unwritten = new Map<string, string>();
  #heart: NodeJS.Timeout | undefined;
  #beating: Promise<void> = Promise.resolve();
  #keptAsText = 0;

  constructor(options: FileWorkersOptions) {
    this.#options = options;
    this.#settings = options.settings;
    this.#workers = options.settings.run.map((worker) => this.#make(worker));
  }

  get health(): WorkerHealth[] {
    return this.#workers.map(({ health }) => health);
  }

  /** What the attempts of each worker came to. */
  get stats(): { readonly worker: string; readonly stats: WorkerStats }[] {
    return this.#workers.map(({ settings, stats }) => ({ worker: settings.name, stats }));
  }

  /** Numbers of dropped tasks that JSON readers would change, and that became texts, since the start. */
  get keptAsText(): number {
    return this.#keptAsText;
  }

  /** A task of the edge's queue has ended. */
  ended(id: string): void {
    for (const worker of this.#workers) worker.ended(id);
  }

  report(): Report {
    const failing = this.health.find(({ state }) => state === "failing" || state === "open");
    if (failing !== undefined) {
      const detail = failing.detail ?? "the command failed too often in a row; the next attempt comes after a pause";
      return { name: this.name, state: "failing", detail: `${failing.worker}: ${detail}` };
    }
    const names = this.#workers.map(({ health }) => health.worker).join(", ");
    return { name: this.name, state: "live", detail: names };
  }

  onChange(listener: () => void): () => void {
    return this.#listeners.add(listener);
  }

  async start(): Promise<void> {
    for (const worker of this.#workers) await worker.start();
    await this.#beat();
    this.#beatRegularly();
  }

  /**
   * Continues with other settings; the directory stays. A worker that remains finishes attempts under way by its old
   * settings. A worker that was removed, or whose scope changed, is stopped: its tasks stay in their directory for the
   * next owner, and no attempt of theirs counts as failed.
   */
  async configure(settings: WorkersSettings): Promise<void> {
    const before = this.#settings;
    const stale = before.stale_seconds !== settings.stale_seconds;
    const stays = ({ settings: { name, scope } }: FileWorker) =>
      !stale && settings.run.some((one) => one.name === name && one.scope === scope);
    const gone = this.#workers.filter((worker) => !stays(worker));
    await Promise.all(gone.map((worker) => worker.stop()));
    await this.#beating;
    await this.#beat(gone);
    this.#settings = settings;
    const fresh: FileWorker[] = [];
    this.#workers = settings.run.map((one) => {
      const same = this.#workers.find((worker) => stays(worker) && worker.settings.name === one.name);
      if (same === undefined) {
        const made = this.#make(one);
        fresh.push(made);
        return made;
      }
      if (!isDeepStrictEqual(same.settings, one)) same.configure(one);
      return same;
    });
    for (const worker of fresh) await worker.start();
    if (before.heartbeat_seconds !== settings.heartbeat_seconds) this.#beatRegularly();
    await this.#beat(fresh);
    this.#changed();
  }

  async stop(): Promise<void> {
    clearInterval(this.#heart);
    await Promise.all(this.#workers.map((worker) => worker.stop()));
    await this.#beating;
    await this.#beat();
  }

  #beatRegularly(): void {
    clearInterval(this.#heart);
    this.#heart = setInterval(() => {
      // One at a time, in order: on a slow disk, an old heartbeat must not replace a newer one.
      this.#beating = this.#beating.then(() => this.#beat());
    }, this.#settings.heartbeat_seconds * 1_000);
  }

  #make(worker: WorkerSettings): FileWorker {
    const { settings: _, root, ...shared } = this.#options;
    const { layout, directories } = this.#settings;
    return new FileWorker({
      ...shared,
      settings: worker,
      place: { root, directories },
      layout,
      staleMs: this.#settings.stale_seconds * 1_000,
      signals: new TaskSignals({ ...shared, worker: worker.name }),
      onChange: () => this.#changed(),
      onKeptAsText: (count) => {
        this.#keptAsText += count;
      },
    });
  }

  async #beat(workers: readonly FileWorker[] = this.#workers): Promise<void> {
    const { host, now, log } = this.#options;
    for (const worker of workers) {
      const beat = { ...worker.health, host, pid: process.pid, timestamp: new Date(now()).toISOString() };
      try {
        await worker.beat(beat);
        await worker.renew(now());
        this.#unwritten.delete(beat.worker);
      } catch (error) {
        // Each reason once, not with each heartbeat.
        const { message } = error as Error;
        if (this.#unwritten.get(beat.worker) !== message)
          log.error({ err: error }, `worker ${beat.worker}: the heartbeat could not be written`);
        this.#unwritten.set(beat.worker, message);
      }
    }
  }

  #changed(): void {
    this.#listeners.notify();
  }
}
