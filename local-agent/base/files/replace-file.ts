import { open, realpath, stat } from "node:fs/promises";
import { dirname } from "node:path";
import { writeWhole } from "./write-whole.ts";

/**
 * Replaces a file of a user: whatever crashes, the file has the whole old text or the whole new text. Unlike
 * {@link writeWhole} alone, it follows a link and keeps the file's permissions, and the new text outlasts a loss of power.
 */
export async function replaceFile(path: string, content: string): Promise<void> {
  const target = await realpath(path).catch(() => path);
  const mode = await stat(target).then(
    (file) => file.mode & 0o7777,
    () => 0o644,
  );
  await writeWhole(target, content, { mode });
  await syncDirectory(dirname(target));
}

/** Makes renames, links and deletions in a directory durable. */
export async function syncDirectory(path: string): Promise<void> {
  const directory = await open(path, "r");
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
}

/** @returns `undefined` for a missing file */
export async function ifThere<T>(read: Promise<T>): Promise<T | undefined> {
  try {
    return await read;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ENOENT" || code === "ENOTDIR") return undefined;
    throw error;
  }
}
