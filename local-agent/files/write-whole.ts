import { randomBytes } from "node:crypto";
import { open, rename, unlink } from "node:fs/promises";
import { basename, dirname, join } from "node:path";

export interface WriteWholeOptions {
  /** Whether it must outlast a loss of power; default true. */
  readonly sync?: boolean;
  /** Directory for the part that a crash leaves behind, on the same file system; default: beside the file. */
  readonly via?: string;
}

/** Puts a file in place whole: readers see the old content or the new one, never a part. Replaces what was there. */
export async function writeWhole(
  path: string,
  content: string,
  { sync = true, via = dirname(path) }: WriteWholeOptions = {},
): Promise<void> {
  const temporary = join(via, `.${basename(path)}.${randomBytes(4).toString("hex")}.tmp`);
  try {
    const file = await open(temporary, "wx");
    try {
      await file.writeFile(content);
      if (sync) await file.sync();
    } finally {
      await file.close();
    }
    await rename(temporary, path);
  } catch (error) {
    await unlink(temporary).catch(() => undefined);
    throw error;
  }
}
