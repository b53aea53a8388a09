import { constants, type FileHandle, open } from "node:fs/promises";
import { FILE_START, type FilePosition } from "../../metric-files/file-positions.ts";

/** A line may not be longer: an observation is 64 KiB at most. */
export const MAX_LINE_BYTES = 256 * 1024;
const ANCHOR_BYTES = 64;

export interface Line {
  /** Where it begins in the file. */
  readonly offset: number;
  /** `undefined`: longer than {@link MAX_LINE_BYTES}. */
  readonly bytes: Buffer | undefined;
}

export interface Stretch {
  readonly lines: readonly Line[];
  /** Where the file stands once they are done with. */
  readonly position: FilePosition;
}

/** An open file of lines. Links are not followed, pipes are not waited for: others write to the directory. */
export class LineFile {
  readonly identity: string;
  readonly #handle: FileHandle;

  private constructor(handle: FileHandle, identity: string) {
    this.#handle = handle;
    this.identity = identity;
  }

  /** @returns `undefined` when there is no such file, or none that can be read as one */
  static async open(path: string): Promise<LineFile | undefined> {
    const { O_RDONLY, O_NOFOLLOW, O_NONBLOCK } = constants;
    let handle: FileHandle;
    try {
      handle = await open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code === "ENOENT" || code === "ELOOP" || code === "ENXIO") return undefined;
      throw error;
    }
    const stat = await handle.stat({ bigint: true });
    if (!stat.isFile()) {
      await handle.close();
      return undefined;
    }
    return new LineFile(handle, `${stat.dev}:${stat.ino}:${stat.birthtimeNs}`);
  }

  close(): Promise<void> {
    return this.#handle.close();
  }

  /** Where to go on: `position` if the file is still what it was, its start if it was emptied in between. */
  async resume(position: FilePosition): Promise<FilePosition> {
    const { size } = await this.#handle.stat();
    if (size < position.offset) return FILE_START;
    const before = await this.#read(position.offset - position.anchor.length / 2, position.anchor.length / 2);
    return before.toString("hex") === position.anchor ? position : FILE_START;
  }

  /** Whole lines from `position` on; a last one without its end is left until it has it. */
  async read(position: FilePosition, maxLines: number): Promise<Stretch> {
    const chunk = await this.#read(position.offset, MAX_LINE_BYTES + 1);
    const lines: Line[] = [];
    let { skipping } = position;
    let done = 0;
    while (lines.length < maxLines) {
      const end = chunk.indexOf(0x0a, done);
      if (end < 0) break;
      if (!skipping) lines.push({ offset: position.offset + done, bytes: chunk.subarray(done, end) });
      skipping = false;
      done = end + 1;
    }
    if (done === 0 && chunk.length > MAX_LINE_BYTES) {
      if (!skipping) lines.push({ offset: position.offset, bytes: undefined });
      skipping = true;
      done = chunk.length;
    }
    if (done === 0) return { lines, position };
    const anchor = chunk.subarray(Math.max(0, done - ANCHOR_BYTES), done).toString("hex");
    return { lines, position: { offset: position.offset + done, skipping, anchor } };
  }

  async #read(from: number, length: number): Promise<Buffer> {
    const buffer = Buffer.alloc(length);
    let filled = 0;
    while (filled < length) {
      const { bytesRead } = await this.#handle.read(buffer, filled, length - filled, from + filled);
      if (bytesRead === 0) break;
      filled += bytesRead;
    }
    return buffer.subarray(0, filled);
  }
}
