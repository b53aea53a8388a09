import { type BigIntStats, constants } from "node:fs";
import { type FileHandle, lstat, open, readlink } from "node:fs/promises";
import { isBelow } from "../base/files/path-inside.ts";

/** Larger files are generated mostly, and none is an example. */
export const MAX_FILE_BYTES = 1024 * 1024;

/** Why a file is not read. */
export class NotCode extends Error {
  override readonly name = "NotCode";
}

export interface CodeFile {
  readonly text: string;
  readonly stamp: string;
  readonly modifiedMs: number;
}

/**
 * Reads a file below a root. Nothing outside is read, whatever links somebody puts there meanwhile: the file is opened
 * without following a link at its end, and then the open file itself is asked where it is.
 *
 * @param root - real path
 * @throws NotCode for what is no readable text below the root; the file system's error where it cannot be opened
 */
export async function readCodeFile(root: string, path: string): Promise<CodeFile> {
  const { O_RDONLY, O_NOFOLLOW, O_NONBLOCK } = constants;
  const file = await open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK).catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ELOOP") throw new NotCode("it is a link, and links are not followed");
    throw error;
  });
  try {
    const status = await file.stat({ bigint: true });
    if (!status.isFile()) throw new NotCode("it is no regular file");
    if (!isBelow(root, await placeOf(file, path))) throw new NotCode("it lies outside of the code roots");
    if (status.size > MAX_FILE_BYTES) throw new NotCode(`it is larger than ${MAX_FILE_BYTES} bytes`);
    const bytes = Buffer.alloc(Number(status.size) + 1);
    let length = 0;
    for (let got = -1; got !== 0 && length < bytes.length; length += got)
      ({ bytesRead: got } = await file.read(bytes, length, bytes.length - length, length));
    const content = bytes.subarray(0, Math.min(length, Number(status.size)));
    if (content.includes(0)) throw new NotCode("it is binary");
    return { text: decode(content), stamp: stampOf(status), modifiedMs: Number(status.mtimeMs) };
  } finally {
    await file.close();
  }
}

/** The status of a path itself, of a link too; `undefined`: there is nothing, or nothing that may be looked at. */
export const statusOf = (path: string): Promise<BigIntStats | undefined> =>
  lstat(path, { bigint: true }).catch(() => undefined);

/** Tells one state of a file from another. */
export function stampOf(status: { readonly size: bigint; readonly mtimeNs: bigint; readonly ino: bigint }): string {
  return `${status.size}:${status.mtimeNs}:${status.ino}`;
}

const placeOf = (file: FileHandle, path: string): Promise<string> =>
  process.platform === "linux" ? readlink(`/proc/self/fd/${file.fd}`) : Promise.resolve(path);

function decode(bytes: Buffer): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    throw new NotCode("it is not UTF-8");
  }
}
