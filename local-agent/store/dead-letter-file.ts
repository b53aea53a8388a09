import { appendFile, mkdir, rename, stat } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import type { Logger } from "../base/log.ts";

export interface DeadLetterFileOptions {
  /** A `.jsonl` file; above `maxBytes` it becomes `<name>.1.jsonl`, and what was there before is gone. */
  readonly path: string;
  readonly maxBytes: number;
  readonly log: Logger;
}

/** Lines that may wait for the disk; a flood of rubbish must not fill the memory. */
const MAX_WAITING_BYTES = 1024 * 1024;

/** What could not be processed, one JSON object a line, in a file that cannot grow for ever. */
export class DeadLetterFile {
  readonly #options: DeadLetterFileOptions;
  #waiting: string[] = [];
  #waitingBytes = 0;
  #leftOut = 0;
  #writing: Promise<boolean> | undefined;

  constructor(options: DeadLetterFileOptions) {
    this.#options = options;
  }

  /** @returns whether it was written; a failure is logged here */
  add(letter: Readonly<Record<string, unknown>>): Promise<boolean> {
    const line = `${JSON.stringify(letter)}\n`;
    if (this.#waitingBytes + line.length > MAX_WAITING_BYTES) {
      this.#leftOut++;
      return Promise.resolve(false);
    }
    this.#waiting.push(line);
    this.#waitingBytes += line.length;
    this.#writing ??= this.#write();
    return this.#writing;
  }

  /** Resolves when everything that was added is written. */
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
        if (this.#leftOut > 0)
          log.warn({ path, count: this.#leftOut }, "too many dead letters at once: some were left out");
        this.#leftOut = 0;
      }
      return true;
    } catch (error) {
      log.error({ err: error, path }, "dead letters could not be written");
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
