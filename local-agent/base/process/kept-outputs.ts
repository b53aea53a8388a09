import { lstat, readdir, unlink } from "node:fs/promises";
import { join } from "node:path";
import { ignoreMissing } from "../files/ignore-missing.ts";

export interface KeptOutputsOptions {
  readonly directory: string;
  /** All files together; the oldest are deleted first. */
  readonly maxBytes: number;
  /** A file is deleted after this time, in milliseconds. */
  readonly maxAgeMs: number;
}

/** The whole outputs of commands that printed too much, in a directory that does not grow without end. */
export class KeptOutputs {
  readonly #options: KeptOutputsOptions;

  constructor(options: KeptOutputsOptions) {
    this.#options = options;
  }

  /** @param run - unique, of characters that a file name may hold */
  pathOf(run: string): string {
    return join(this.#options.directory, `${run}.output`);
  }

  /** Deletes what is too old or too much. */
  async prune(nowMs: number): Promise<void> {
    const { directory, maxBytes, maxAgeMs } = this.#options;
    const names = (await readdir(directory).catch(ignoreMissing)) ?? [];
    const files: { path: string; size: number; mtimeMs: number }[] = [];
    for (const name of names) {
      const path = join(directory, name);
      const found = await lstat(path).catch(ignoreMissing);
      if (found?.isFile()) files.push({ path, size: found.size, mtimeMs: found.mtimeMs });
    }
    files.sort((a, b) => b.mtimeMs - a.mtimeMs);
    let bytes = 0;
    for (const { path, size, mtimeMs } of files) {
      bytes += size;
      if (bytes > maxBytes || nowMs - mtimeMs > maxAgeMs) await unlink(path).catch(ignoreMissing);
    }
  }
}
