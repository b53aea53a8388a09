import { type FSWatcher, watch } from "node:fs";
import { mkdir, readdir, stat } from "node:fs/promises";
import { basename } from "node:path";
import type { Logger } from "../log.ts";
import { textOfName } from "./file-names.ts";

export interface DirectoryWatchOptions {
  readonly directory: string;
  /** Interval between two scans of the whole directory, in milliseconds. */
  readonly rescanMs: number;
  /** Called for every name that may be new, often more than once. */
  readonly onName: (name: string) => void;
  /** The same for a name that is not UTF-8, which no text names; default: such names are ignored. */
  readonly onRawName?: (name: Buffer) => void;
  /** Called after each scan, with the reason when the directory cannot be read. */
  readonly onScan: (failure: string | undefined) => void;
  readonly log: Logger;
  /** Milliseconds after which a scan that has not ended is reported to `onScan`; default 30,000. */
  readonly overdueMs?: number;
}

/** A file system whose server is gone answers late or never. */
const OVERDUE_MS = 30_000;

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
  #withoutEvents = false;
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
    const { directory, onScan, overdueMs = OVERDUE_MS } = this.#options;
    const overdue = setTimeout(
      () => onScan(`the directory has not answered for ${Math.round(overdueMs / 1_000)} s`),
      overdueMs,
    );
    try {
      await mkdir(directory, { recursive: true });
      // With the birth time, because file systems reuse the inode of a removed directory.
      const { dev, ino, birthtimeNs } = await stat(directory, { bigint: true });
      const identity = `${dev}:${ino}:${birthtimeNs}`;
      // Watch before reading: a name that appears in between is reported twice rather than never.
      if (this.#running && this.#watched !== identity) this.#watch(identity);
      const entries = await readdir(directory, { withFileTypes: true, encoding: "buffer" });
      for (const entry of entries) if (!entry.isDirectory()) this.#report(entry.name);
      onScan(undefined);
    } catch (error) {
      this.#unwatch();
      onScan((error as Error).message);
    } finally {
      clearTimeout(overdue);
    }
  }

  #report(bytes: Buffer): void {
    const name = textOfName(bytes);
    if (name !== undefined) this.#options.onName(name);
    else this.#options.onRawName?.(bytes);
  }

  #watch(identity: string): void {
    const { directory, log } = this.#options;
    this.#unwatch();
    try {
      this.#watcher = watch(directory, { persistent: true, encoding: "buffer" }, (_, name) => {
        // An event without a name: only a scan shows what happened.
        if (name === null) void this.scan();
        // The directory itself was removed or renamed. The next scan creates it again, and not at once, because the
        // program that removed it may be about to create it.
        else if (name.equals(Buffer.from(basename(directory)))) this.#unwatch();
        else this.#report(name);
      });
    } catch (error) {
      // The kernel has no more watches for this user (ENOSPC, EMFILE): the scans find every file all the same.
      if (!this.#withoutEvents)
        log.warn({ err: error, directory }, "a directory cannot be watched; it is read every few seconds instead");
      this.#withoutEvents = true;
      return;
    }
    this.#withoutEvents = false;
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
