import { randomBytes } from "node:crypto";
import { open, rename, unlink } from "node:fs/promises";
import { basename, dirname, join } from "node:path";

export interface WriteWholeOptions {
  /** Whether the file must outlast a loss of power; default true. */
  readonly sync?: boolean;
  /** Directory of the temporary file, on the same file system; default: that of the file. */
  readonly via?: string;
  /** Permissions; default: 0666 without the bits of the umask. */
  readonly mode?: number;
}

/** Writes a file atomically: readers see the old content or the new one, never a part. */
export async function writeWhole(
  path: string,
  content: string,
  { sync = true, via = dirname(path), mode }: WriteWholeOptions = {},
): Promise<void> {
  // A hidden and unique name, so that two writers do not share a temporary file.
  const temporary = join(via, `.${basename(path)}.${randomBytes(4).toString("hex")}.tmp`);
  try {
    const file = await open(temporary, "wx", mode);
    try {
      await file.writeFile(content);
      // The umask has removed bits of the mode when the file was created.
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
