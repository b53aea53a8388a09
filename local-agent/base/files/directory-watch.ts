import { type FSWatcher, watch } from "node:fs";
import { mkdir, readdir, stat } from "node:fs/promises";
import { basename } from "node:path";
import type { Logger } from "../log.ts";

export interface DirectoryWatchOptions {
  readonly directory: string;
  /** Between two looks at the whole directory, in milliseconds. */
  readonly rescanMs: number;
  /** Called for every name that may be new; often more than once. */
  readonly onName: (name: string) => void;
  /** After each look: whether the directory can be read, and if not, why. */
  readonly onScan: (failure: string | undefined) => void;
  readonly log: Logger;
}

/**
 * Tells of names in a directory as they appear. The kernel's events come first; because their queue overflows in
 * silence, and a directory that was removed and made again sends none, the whole directory is read every few seconds.
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

  /** Resolves after the first look. */
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

  /** Looks now. */
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
      // The birth time, because file systems give the inode of a removed directory to the next one.
      const { dev, ino, birthtimeNs } = await stat(directory, { bigint: true });
      const identity = `${dev}:${ino}:${birthtimeNs}`;
      // Watch before reading: what appears in between is told of twice, not never.
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
      // Without a name something happened that only a look can tell.
      if (name === null) void this.scan();
      // The directory itself was removed or renamed. The next look makes it anew: at once would be in the way of
      // somebody who is about to do that himself.
      else if (name === basename(directory)) this.#unwatch();
      else onName(name);
    });
    this.#watcher.on("error", (error) => {
      log.warn({ err: error, directory }, "the watch on a directory broke; it is set up again with the next look");
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
