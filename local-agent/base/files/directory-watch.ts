import { type FSWatcher, watch } from "node:fs";
import { mkdir, readdir, stat } from "node:fs/promises";
import { basename } from "node:path";
import type { Logger } from "../log.ts";

export interface DirectoryWatchOptions {
  readonly directory: string;
  /** Interval between two scans of the whole directory, in milliseconds. */
  readonly rescanMs: number;
  /** Called for every name that may be new, often more than once. */
  readonly onName: (name: string) => void;
  /** Called after each scan, with the reason when the directory cannot be read. */
  readonly onScan: (failure: string | undefined) => void;
  readonly log: Logger;
}

/**
 * Reports names in a directory as they appear. The kernel's events come first. Their queue overflows silently, and a
 * directory that was removed and created again sends none, so the whole directory is also read every few seconds.
 */
export class DirectoryWatch {
  readonly #options: DirectoryWatchOptions;
  #watcher: FSWatcher | undefined;
  #watched: string | undefined;
  #timer: NodeJS.Timeout | undefined;
  #running = false;
  #scan: Promise<void> | undefined;

  constructor(options: DirectoryWatchOptions) {
    this.#options = options;
  }

  /** Resolves after the first scan. */
  async start(): Promise<void> {
    this.#running = true;
    await this.scan();
  }

  async stop(): Promise<void> {
    this.#running = false;
    clearTimeout(this.#timer);
    this.#unwatch();
    await this.#scan;
  }

  /** Scans now. */
  async scan(): Promise<void> {
    this.#scan ??= this.#scanOnce().finally(() => {
      this.#scan = undefined;
      clearTimeout(this.#timer);
      if (this.#running) this.#timer = setTimeout(() => this.scan(), this.#options.rescanMs);
    });
    await this.#scan;
  }

  async #scanOnce(): Promise<void> {
    const { directory, onName, onScan } = this.#options;
    try {
      await mkdir(directory, { recursive: true });
      // With the birth time, because file systems reuse the inode of a removed directory.
      const { dev, ino, birthtimeNs } = await stat(directory, { bigint: true });
      const identity = `${dev}:${ino}:${birthtimeNs}`;
      // Watch before reading: a name that appears in between is reported twice rather than never.
      if (this.#running && this.#watched !== identity) this.#watch(identity);
      for (const entry of await readdir(directory, { withFileTypes: true }))
        if (!entry.isDirectory()) onName(entry.name);
      onScan(undefined);
    } catch (error) {
      this.#unwatch();
      onScan((error as Error).message);
    }
  }

  #watch(identity: string): void {
    const { directory, onName, log } = this.#options;
    this.#unwatch();
    this.#watcher = watch(directory, { persistent: true }, (_, name) => {
      // An event without a name: only a scan shows what happened.
      if (name === null) void this.scan();
      // The directory itself was removed or renamed. The next scan creates it again, and not at once, because the
      // program that removed it may be about to create it.
      else if (name === basename(directory)) this.#unwatch();
      else onName(name);
    });
    this.#watcher.on("error", (error) => {
      log.warn({ err: error, directory }, "the watch on a directory failed; the next scan sets it up again");
      this.#unwatch();
    });
    this.#watched = identity;
  }

  #unwatch(): void {
    this.#watcher?.close();
    this.#watcher = undefined;
    this.#watched = undefined;
  }
}
