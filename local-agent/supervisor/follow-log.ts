import { type FileHandle, open } from "node:fs/promises";
import { ignoreMissing } from "../base/files/ignore-missing.ts";

/** Bytes that are read for one answer, which has to fit into a task's result. */
const PART_BYTES = 48 * 1024;

/** Whole lines of a log that grows and is rotated to `<path>.1`, and where the next answer goes on. */
export interface LogPart {
  readonly lines: string[];
  readonly next: string;
}

/**
 * The lines of a log after a place, a bounded number of them.
 *
 * @param after - `next` of the answer before; `undefined`: the last `wanted` lines, as far as one answer holds them
 */
export async function followLog(path: string, after: string | undefined, wanted: number): Promise<LogPart> {
  const [file, offset] = (after ?? "").split(":").map(Number);
  const current = await open(path).catch(ignoreMissing);
  // There is no log yet, or none for a moment, between two files.
  if (current === undefined) return { lines: [], next: after ?? "0:0" };
  try {
    const { ino, size } = await current.stat();
    if (file === undefined || offset === undefined) {
      const from = Math.max(0, size - PART_BYTES);
      const { lines, end } = await linesOf(current, from, size);
      return { lines: lines.slice(from > 0 ? 1 : 0).slice(-wanted), next: `${ino}:${end}` };
    }
    if (ino === file) {
      // A shorter file was emptied.
      const { lines, end } = await linesOf(current, offset > size ? 0 : offset, size);
      return { lines, next: `${ino}:${end}` };
    }
    const rest = await restOf(`${path}.1`, file, offset);
    return rest ?? { lines: [], next: `${ino}:0` };
  } finally {
    await current.close();
  }
}

/** What is left of a log that was rotated meanwhile; `undefined`: nothing. */
async function restOf(path: string, file: number, offset: number): Promise<LogPart | undefined> {
  const rotated = await open(path).catch(ignoreMissing);
  if (rotated === undefined) return undefined;
  try {
    const { ino, size } = await rotated.stat();
    if (ino !== file || offset >= size) return undefined;
    const { lines, end } = await linesOf(rotated, offset, size);
    return end === offset ? undefined : { lines, next: `${ino}:${end}` };
  } finally {
    await rotated.close();
  }
}

/** Lines that have ended, and where the last of them ends. A line that is longer than one answer is cut. */
async function linesOf(file: FileHandle, from: number, size: number): Promise<{ lines: string[]; end: number }> {
  const { buffer, bytesRead } = await file.read(Buffer.alloc(Math.min(PART_BYTES, size - from)), 0, null, from);
  const read = buffer.subarray(0, bytesRead);
  const last = read.lastIndexOf(0x0a);
  const whole = last < 0 ? (bytesRead === PART_BYTES ? bytesRead : 0) : last + 1;
  const text = read.toString("utf8", 0, whole);
  return { lines: text === "" ? [] : text.replace(/\n$/, "").split("\n"), end: from + whole };
}
