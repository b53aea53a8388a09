import { existsSync } from "node:fs";
import { join } from "node:path";
import { DirectoryWatch } from "../base/files/directory-watch.ts";
import { RawNames } from "../base/files/raw-names.ts";
import type { Logger } from "../base/log.ts";
import { RetriedStart } from "../base/retried-start.ts";

export interface DroppedTasksOptions {
  readonly directory: string;
  readonly rescanMs: number;
  /** Prepares the directories; called again after a failure. */
  readonly prepare: () => Promise<void>;
  /** Whether a file may be taken on now: it is not being claimed, and need not wait after a failure. */
  readonly mayTake: (name: string) => boolean;
  /** Called when there are files to take. */
  readonly onNew: () => void;
  /** Called when the directory can be read, or cannot be read any more, with the reason. */
  readonly onFailure: (failure: string | undefined) => void;
  /** Called after each scan of the directory. */
  readonly onScan: () => void;
  /** What logs begin with. */
  readonly what: string;
  readonly log: Logger;
}

/** Systems that ignore case in file names write `.JSON` as well. */
const TASK_FILE = /^[^.].*\.json$/i;

/** The files that were dropped for a worker and are not claimed, in the order in which they were seen. */
export class DroppedTasks {
  readonly #options: DroppedTasksOptions;
  readonly #names = new Set<string>();
  readonly #rawNames: RawNames;
  readonly #watch: DirectoryWatch;
  readonly #opening: RetriedStart;
  #active = false;

  constructor(options: DroppedTasksOptions) {
    this.#options = options;
    const { directory, rescanMs, prepare, onFailure, onScan, what, log } = options;
    const onName = (name: string) => this.#offer(name);
    const wants = (shown: string) => this.#active && TASK_FILE.test(shown);
    this.#rawNames = new RawNames({ directory, wants, onRenamed: onName, what, log });
    this.#watch = new DirectoryWatch({
      directory,
      rescanMs,
      onName,
      onRawName: (name) => this.#rawNames.take(name),
      onScan: (failure) => {
        onFailure(failure);
        if (failure === undefined && this.#active) onScan();
      },
      log,
    });
    this.#opening = new RetriedStart({
      start: async () => {
        await prepare();
        await this.#watch.start();
      },
      onFailure,
      retryMs: rescanMs,
      what,
      log,
    });
  }

  get size(): number {
    return this.#names.size;
  }

  /** Resolves after the first attempt to read the directory. */
  async start(): Promise<void> {
    this.#active = true;
    await this.#opening.start();
  }

  async stop(): Promise<void> {
    this.#active = false;
    await this.#opening.stop();
    await this.#watch.stop();
    await this.#rawNames.settled();
    this.#names.clear();
  }

  /** Removes and returns the file that was seen first. */
  take(): string | undefined {
    const [name] = this.#names;
    if (name !== undefined) this.#names.delete(name);
    return name;
  }

  #offer(name: string): void {
    const { directory, mayTake, onNew } = this.#options;
    if (!this.#active || !TASK_FILE.test(name) || this.#names.has(name) || !mayTake(name)) return;
    // The kernel reports removed files too, mostly because they were claimed.
    if (!existsSync(join(directory, name))) return;
    this.#names.add(name);
    onNew();
  }
}
