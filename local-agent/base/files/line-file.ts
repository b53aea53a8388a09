import { constants, type FileHandle, open } from "node:fs/promises";

/** Longer lines are skipped: an observation is 64 KiB at most. */
export const MAX_LINE_BYTES = 256 * 1024;
/** Bytes before a position by which a file that was emptied and written anew is recognised. */
const ANCHOR_BYTES = 64;

/** How far a file of lines has been read. */
export interface FilePosition {
  /** Bytes that were read and processed. */
  readonly offset: number;
  /** The reader is inside a line that is too long, and skips to its end. */
  readonly skipping: boolean;
  /** The bytes before `offset`, in hex. If the file has other bytes there now, it was emptied and written anew. */
  readonly anchor: string;
}

export const FILE_START: FilePosition = { offset: 0, skipping: false, anchor: "" };

export interface Line {
  /** Byte at which the line begins. */
  readonly offset: number;
  /** `undefined`: longer than {@link MAX_LINE_BYTES}. */
  readonly bytes: Buffer | undefined;
}

/**
 * What becomes of a last line without a line feed: its writer may not have finished it (`leave`), unless it is a whole JSON
 * object (`object`), or nobody writes to the file any more (`take`).
 */
export type LastLine = "leave" | "object" | "take";

/** The file exists and must not be read by any reader. */
export class NotRead extends Error {
  override readonly name = "NotRead";
}

export interface LineBatch {
  readonly lines: readonly Line[];
  /** Position after these lines. */
  readonly position: FilePosition;
  /** The bytes behind the position, at the end of the file and without a line feed; `undefined`: there are none. */
  readonly tail: Buffer | undefined;
}

/** An open file of lines. Never follows a link and never waits for a pipe: other programs write to the directory. */
export class LineFile {
  readonly identity: string;
  readonly #handle: FileHandle;

  private constructor(handle: FileHandle, identity: string) {
    this.#handle = handle;
    this.identity = identity;
  }

  /**
   * @returns `undefined` when there is no such file
   * @throws NotRead for a link, and for anything else that is no regular file
   */
  static async open(path: string): Promise<LineFile | undefined> {
    const { O_RDONLY, O_NOFOLLOW, O_NONBLOCK } = constants;
    let handle: FileHandle;
    try {
      handle = await open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code === "ENOENT") return undefined;
      if (code === "ELOOP") throw new NotRead("it is a link, and links are not followed: put the file itself there");
      if (code === "ENXIO") throw new NotRead("it is not a regular file");
      throw error;
    }
    const stat = await handle.stat({ bigint: true });
    if (!stat.isFile()) {
      await handle.close();
      throw new NotRead("it is not a regular file");
    }
    return new LineFile(handle, `${stat.dev}:${stat.ino}:${stat.birthtimeNs}`);
  }

  close(): Promise<void> {
    return this.#handle.close();
  }

  /** @returns `position`, or the file's start if the file was emptied in the meantime */
  async resume(position: FilePosition): Promise<FilePosition> {
    const { size } = await this.#handle.stat();
    if (size < position.offset) return FILE_START;
    const before = await this.#read(position.offset - position.anchor.length / 2, position.anchor.length / 2);
    return before.toString("hex") === position.anchor ? position : FILE_START;
  }

  /**
   * What became of a tail that was seen behind `position`. A program that rotates a file by copying and emptying it leaves
   * the last line in the copy alone, which is not read.
   *
   * @param resumed - what {@link resume} returned for the position
   * @returns whether the file was emptied with the tail in it; `false`: the tail is still there, or was written anew
   */
  async hasLost(tail: Buffer, position: FilePosition, resumed: FilePosition): Promise<boolean> {
    if (resumed !== position) return true;
    // Without a line before it, nothing but the tail itself shows that the file was emptied.
    if (position.offset > 0) return false;
    return !(await this.#read(0, tail.length)).equals(tail);
  }

  /** When the file was last written to, in milliseconds since the epoch. */
  async writtenMs(): Promise<number> {
    return (await this.#handle.stat()).mtimeMs;
  }

  /** Reads whole lines from `position` on. */
  async read(position: FilePosition, maxLines: number, lastLine: LastLine = "leave"): Promise<LineBatch> {
    const chunk = await this.#read(position.offset, MAX_LINE_BYTES + 1);
    const lines: Line[] = [];
    let { skipping } = position;
    let done = 0;
    while (lines.length < maxLines) {
      const end = chunk.indexOf(0x0a, done);
      const rest = end < 0 && chunk.length <= MAX_LINE_BYTES ? chunk.subarray(done) : Buffer.alloc(0);
      if (end < 0 && (rest.length === 0 || !isComplete(rest, lastLine))) break;
      if (!skipping) lines.push({ offset: position.offset + done, bytes: end < 0 ? rest : chunk.subarray(done, end) });
      skipping = false;
      done = end < 0 ? chunk.length : end + 1;
    }
    const isEnd = chunk.length <= MAX_LINE_BYTES && !skipping && chunk.indexOf(0x0a, done) < 0;
    const tail = isEnd && done < chunk.length ? chunk.subarray(done) : undefined;
    if (done === 0 && chunk.length > MAX_LINE_BYTES) {
      if (!skipping) lines.push({ offset: position.offset, bytes: undefined });
      skipping = true;
      done = chunk.length;
    }
    if (done === 0) return { lines, position, tail };
    const anchor = chunk.subarray(Math.max(0, done - ANCHOR_BYTES), done).toString("hex");
    return { lines, position: { offset: position.offset + done, skipping, anchor }, tail };
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

/** Whether bytes at the end of a file, without a line feed, are a line. */
function isComplete(rest: Buffer, lastLine: LastLine): boolean {
  if (lastLine !== "object") return lastLine === "take";
  const text = rest.toString("utf8").trim();
  if (!text.startsWith("{") || !text.endsWith("}")) return false;
  try {
    JSON.parse(text);
    return true;
  } catch {
    // The beginning of a line that its writer has not finished.
    return false;
  }
}
