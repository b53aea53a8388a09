import { randomBytes } from "node:crypto";
import { open, rename, unlink } from "node:fs/promises";
import { basename, dirname, join } from "node:path";

export interface WriteWholeOptions {
  /** Whether it must outlast a loss of power; default true. */
  readonly sync?: boolean;
  /** Directory for the part that a crash leaves behind, on the same file system; default: beside the file. */
  readonly via?: string;
  /** Permissions; default: what the process's mask leaves of 0666. */
  readonly mode?: number;
}

/** Puts a file in place whole: readers see the old content or the new one, never a part. Replaces what was there. */
export async function writeWhole(
  path: string,
  content: string,
  { sync = true, via = dirname(path), mode }: WriteWholeOptions = {},
): Promise<void> {
  // Hidden, and of a name of its own: two writers do not write into one file.
  const temporary = join(via, `.${basename(path)}.${randomBytes(4).toString("hex")}.tmp`);
  try {
    const file = await open(temporary, "wx", mode);
    try {
      await file.writeFile(content);
      // The mask took its share of the mode when the file was made.
      if (mode !== undefined) await file.chmod(mode);
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
