import { appendFile, mkdir, rename, stat, truncate } from "node:fs/promises";
import { dirname } from "node:path";
import { ignoreMissing } from "../base/files/ignore-missing.ts";
import type { Logger } from "../base/log.ts";

export interface LogFileOptions {
  readonly path: string;
  /** A larger file becomes `<path>.1`, that one `<path>.2`, and so on. */
  readonly maxBytes: number;
  /** Number of files, including the current one. */
  readonly keep: number;
  readonly log: Logger;
}

/** Output that may wait for the disk. More is dropped and counted: a slow disk must not block the agent. */
const MAX_WAITING_BYTES = 1024 * 1024;

/** Writes the output of a process to files of limited size. */
export class LogFile {
  readonly #options: LogFileOptions;
  #waiting: Buffer[] = [];
  #waitingBytes = 0;
  #droppedBytes = 0;
  #size: number | undefined;
  #writing: Promise<void> | undefined;

  constructor(options: LogFileOptions) {
    this.#options = options;
  }

  get path(): string {
    return this.#options.path;
  }

  write(chunk: Buffer): void {
    if (this.#waitingBytes + chunk.length > MAX_WAITING_BYTES) {
      this.#droppedBytes += chunk.length;
      return;
    }
    this.#waiting.push(chunk);
    this.#waitingBytes += chunk.length;
    this.#writing ??= this.#drain().finally(() => {
      this.#writing = undefined;
    });
  }

  /** Resolves when everything so far is written. */
  async flush(): Promise<void> {
    await this.#writing;
  }

  async #drain(): Promise<void> {
    const { path, maxBytes, log } = this.#options;
    try {
      if (this.#size === undefined) await mkdir(dirname(path), { recursive: true, mode: 0o700 });
      this.#size ??= await sizeOf(path);
      while (this.#waiting.length > 0) {
        if (this.#size >= maxBytes) await this.#rotate();
        const bytes = this.#next(maxBytes - this.#size);
        await appendFile(path, bytes, { mode: 0o600 });
        this.#size += bytes.length;
      }
    } catch (error) {
      // Output that cannot be written is lost; the process continues.
      log.warn({ err: error, path }, "a log could not be written");
      this.#waiting = [];
      this.#waitingBytes = 0;
      this.#size = undefined;
    }
  }

  /** At least one chunk, and as many as there is room for. */
  #next(room: number): Buffer {
    let count = 0;
    let length = 0;
    for (const chunk of this.#waiting) {
      if (count > 0 && length + chunk.length > room) break;
      count += 1;
      length += chunk.length;
    }
    const chunks = this.#waiting.splice(0, count);
    this.#waitingBytes -= length;
    if (this.#droppedBytes > 0 && this.#waiting.length === 0) {
      chunks.push(Buffer.from(`\n[${this.#droppedBytes} bytes dropped: the disk was too slow]\n`));
      this.#droppedBytes = 0;
    }
    return Buffer.concat(chunks);
  }

  async #rotate(): Promise<void> {
    const { path, keep } = this.#options;
    const name = (n: number) => (n === 0 ? path : `${path}.${n}`);
    for (let n = keep - 1; n > 0; n--) {
      await rename(name(n - 1), name(n)).catch(ignoreMissing);
    }
    if (keep === 1) await truncate(path, 0);
    this.#size = 0;
  }
}

async function sizeOf(path: string): Promise<number> {
  return stat(path).then(
    (file) => file.size,
    () => 0,
  );
}
