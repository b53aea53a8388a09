import { mkdir, open } from "node:fs/promises";
import { dirname } from "node:path";
import * as z from "zod";
import { readJsonKeeping } from "../../../src/core/json/read-json.ts";
import { ifThere, syncDirectory } from "./replace-file.ts";

const BLOCK = 64 * 1024;
/** Longer lines are skipped. */
const MAX_LINE = 4 * 1024 * 1024;
const NEWLINE = 10;
const Line = z.record(z.string(), z.unknown());

/** Appends one line of JSON and resolves when it is on the disk. Other programs may append to the same file. */
export async function appendLine(path: string, value: unknown): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  const file = await open(path, "a+");
  try {
    const { size } = await file.stat();
    const last = Buffer.alloc(1);
    // A crash may have left half a line, which must not be joined with the new one.
    const torn = size > 0 && (await file.read(last, 0, 1, size - 1)).bytesRead === 1 && last[0] !== NEWLINE;
    // One write in append mode: lines of several writers do not mix.
    await file.appendFile(`${torn ? "\n" : ""}${JSON.stringify(value)}\n`);
    await file.sync();
    if (size === 0) await syncDirectory(dirname(path));
  } finally {
    await file.close();
  }
}

/**
 * Reads the objects of a file of JSON lines, the last one first, so that the cost of finding recent ones does not depend
 * on the size of the file. Lines that are no objects are skipped. A missing file has none.
 *
 * @param from - byte at which to stop; the bytes before it are not read
 */
export async function* objectsFromEnd(path: string, from = 0): AsyncGenerator<Record<string, unknown>> {
  const file = await ifThere(open(path, "r"));
  if (file === undefined) return;
  try {
    const { size } = await file.stat();
    // The file is shorter than before: another file has replaced it.
    const start = from > size ? 0 : from;
    let rest: Buffer = Buffer.alloc(0);
    for (let end = size; end > start; ) {
      const length = Math.min(BLOCK, end - start);
      end -= length;
      const block = Buffer.alloc(length);
      await file.read(block, 0, length, end);
      let text = Buffer.concat([block, rest]);
      for (let at = text.lastIndexOf(NEWLINE); at >= 0; at = text.lastIndexOf(NEWLINE)) {
        const value = objectIn(text.subarray(at + 1));
        if (value !== undefined) yield value;
        text = text.subarray(0, at);
      }
      rest = text.length > MAX_LINE ? Buffer.alloc(0) : text;
    }
    const value = objectIn(rest);
    if (value !== undefined) yield value;
  } finally {
    await file.close();
  }
}

function objectIn(line: Buffer): Record<string, unknown> | undefined {
  const text = line.toString().trim();
  if (!text.startsWith("{")) return undefined;
  const reading = readJsonKeeping(text);
  return reading.ok ? Line.safeParse(reading.value).data : undefined;
}
