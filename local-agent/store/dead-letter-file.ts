import { appendFile, mkdir, rename, stat } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import type { Logger } from "../base/log.ts";

export interface DeadLetterFileOptions {
  /** A `.jsonl` file. Above `maxBytes` it is renamed to `<name>.1.jsonl`, which replaces the one before. */
  readonly path: string;
  readonly maxBytes: number;
  readonly log: Logger;
}

/** Limit of the lines that wait for the disk: a flood of bad input must not fill the memory. */
const MAX_WAITING_BYTES = 1024 * 1024;

/** Dead letters, one JSON object a line, in a file of limited size. */
export class DeadLetterFile {
  readonly #options: DeadLetterFileOptions;
  #waiting: string[] = [];
  #waitingBytes = 0;
  #dropped = 0;
  #writing: Promise<boolean> | undefined;

  constructor(options: DeadLetterFileOptions) {
    this.#options = options;
  }

  /** @returns whether the dead letter was written; a failure is logged here */
  add(deadLetter: Readonly<Record<string, unknown>>): Promise<boolean> {
    const line = `${JSON.stringify(deadLetter)}\n`;
    if (this.#waitingBytes + line.length > MAX_WAITING_BYTES) {
      this.#dropped++;
      return Promise.resolve(false);
    }
    this.#waiting.push(line);
    this.#waitingBytes += line.length;
    this.#writing ??= this.#write();
    return this.#writing;
  }

  /** Resolves when all added dead letters are written. */
  async flush(): Promise<void> {
    await this.#writing;
  }

  async #write(): Promise<boolean> {
    const { path, log } = this.#options;
    try {
      await mkdir(dirname(path), { recursive: true, mode: 0o700 });
      while (this.#waiting.length > 0) {
        const lines = this.#waiting.splice(0);
        this.#waitingBytes = 0;
        await this.#rotate();
        await appendFile(path, lines.join(""), { mode: 0o600 });
        if (this.#dropped > 0)
          log.warn({ path, count: this.#dropped }, "too many dead letters at once: some were dropped");
        this.#dropped = 0;
      }
      return true;
    } catch (error) {
      log.error({ err: error, path }, "dead letters cannot be written");
      this.#waiting = [];
      this.#waitingBytes = 0;
      return false;
    } finally {
      this.#writing = undefined;
    }
  }

  async #rotate(): Promise<void> {
    const { path, maxBytes } = this.#options;
    const size = await stat(path).then(
      (file) => file.size,
      () => 0,
    );
    if (size < maxBytes) return;
    await rename(path, join(dirname(path), `${basename(path, ".jsonl")}.1.jsonl`));
  }
}
