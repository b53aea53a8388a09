import { closeSync, constants, mkdirSync, openSync, rmSync, writeSync } from "node:fs";
import { dirname } from "node:path";

/** A larger output is kept up to this size: a program that prints without end must not fill the disk. */
const MAX_BYTES = 64 * 1024 * 1024;

/** Where the whole output of a command is kept. */
export interface KeptOutput {
  /** File on this host; `null`: the output could not be kept, see `problem`. */
  readonly path: string | null;
  /** Bytes in the file: fewer than were printed when there was no room for more. */
  readonly bytes: number;
  readonly problem?: string;
}

/**
 * The whole output of a command, for one that is too large to be kept in memory: written to a file as it comes. The memory
 * holds the beginning until then, so that the file has every byte. The bytes are written synchronously: a command that
 * prints faster than the disk writes has to wait for it.
 */
export class WholeOutput {
  readonly #path: string;
  readonly #maxBytes: number;
  #waiting: Buffer[] = [];
  #file: number | undefined;
  #wasOpened = false;
  #keptBytes = 0;
  #problem: string | undefined;
  #size = 0;

  constructor(path: string, maxBytes = MAX_BYTES) {
    this.#path = path;
    this.#maxBytes = maxBytes;
  }

  /** Bytes that the command printed. */
  get size(): number {
    return this.#size;
  }

  /** @param isLarge - whether the output is too large for the memory */
  append(chunk: Buffer, isLarge: boolean): void {
    this.#size += chunk.length;
    this.#waiting.push(chunk);
    if (isLarge) this.#writeWaiting();
  }

  /** The command has ended. @param isLarge - whether the output is too large for the memory */
  finish(isLarge: boolean): void {
    if (isLarge) this.#writeWaiting();
    this.#close();
  }

  /** Makes sure that the file has the output, and says where it is. Call `finish` first. */
  keep(): KeptOutput {
    if (this.#waiting.length > 0) this.#writeWaiting();
    this.#close();
    const problem = this.#problem;
    const path = problem !== undefined && this.#keptBytes === 0 ? null : this.#path;
    return { path, bytes: this.#keptBytes, ...(problem !== undefined && { problem }) };
  }

  /** Removes the file: the output is of no use. */
  discard(): void {
    this.#waiting = [];
    this.#close();
    if (this.#wasOpened) rmSync(this.#path, { force: true });
  }

  #close(): void {
    if (this.#file !== undefined) closeSync(this.#file);
    this.#file = undefined;
  }

  #writeWaiting(): void {
    const chunks = this.#waiting.splice(0);
    if (this.#problem !== undefined) return;
    try {
      this.#file ??= this.#open();
      for (const chunk of chunks) {
        const room = this.#maxBytes - this.#keptBytes;
        for (let at = 0; at < Math.min(room, chunk.length); )
          at += writeSync(this.#file, chunk, at, Math.min(room, chunk.length) - at);
        this.#keptBytes += Math.min(room, chunk.length);
        if (room < chunk.length) throw new Error(`only the first ${this.#maxBytes} bytes are kept`);
      }
    } catch (error) {
      this.#problem = (error as Error).message;
    }
  }

  /** Never through a link: other programs may write to the directory. */
  #open(): number {
    mkdirSync(dirname(this.#path), { recursive: true, mode: 0o700 });
    rmSync(this.#path, { force: true });
    this.#wasOpened = true;
    const { O_WRONLY, O_CREAT, O_EXCL, O_NOFOLLOW } = constants;
    return openSync(this.#path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0o600);
  }
}
