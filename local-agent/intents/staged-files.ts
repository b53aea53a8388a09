import { randomBytes } from "node:crypto";
import { lstat, rename, unlink } from "node:fs/promises";
import { basename, join } from "node:path";
import { ignoreMissing } from "../base/files/ignore-missing.ts";
import { type FileVersion, fileVersionOf } from "../base/files/read-dropped-file.ts";

/** A file in the watched directory. */
export interface WatchedFile {
  readonly path: string;
  /** Its name in the directory now. */
  readonly entry: string;
  /** The name under which it was dropped. Differs from `entry` for a file that was staged before a crash. */
  readonly name: string;
}

/**
 * Name of a file between the decision what becomes of it and its removal: `.<name>.<random>.staged`. An earlier version
 * wrote `.aside`, and a crash of it may have left such a file.
 */
const STAGED = /^\.(.+\.json)\.[0-9a-f]{12}\.(?:staged|aside)$/;

/**
 * Files that were moved out of reach of the programs that drop them. Another intent may replace a file by a rename
 * after it was read; removing the name would then remove an intent that nobody has read. So the file is renamed first,
 * and removed only when the renamed file is the one that was read.
 */
export class StagedFiles {
  readonly #directory: string;
  readonly #onReplaced: (entry: string) => void;
  /** Entries that this process staged and still handles. A staged file that is not among them was left by a crash. */
  readonly #own = new Set<string>();

  /** @param onReplaced - called with the entry of a file that turned out to be another one than was read */
  constructor(directory: string, onReplaced: (entry: string) => void) {
    this.#directory = directory;
    this.#onReplaced = onReplaced;
  }

  /** Whether an entry of the directory may be an intent: dropped, or staged before a crash. */
  accepts(entry: string): boolean {
    if (this.#own.has(entry)) return false;
    return STAGED.test(entry) || (entry.endsWith(".json") && !entry.startsWith("."));
  }

  locate(entry: string): WatchedFile {
    return { path: join(this.#directory, entry), entry, name: STAGED.exec(entry)?.[1] ?? entry };
  }

  /**
   * @param version - of the content that was read; `undefined`: the content could not be read
   * @returns the staged file's path; `undefined` when the file was gone, or was another one
   */
  async stage({ path, entry, name }: WatchedFile, version: FileVersion | undefined): Promise<string | undefined> {
    if (entry !== name) return path;
    const stagedEntry = `.${name}.${randomBytes(6).toString("hex")}.staged`;
    const staged = join(this.#directory, stagedEntry);
    this.#own.add(stagedEntry);
    await rename(path, staged).catch(ignoreMissing);
    const moved = await lstat(staged, { bigint: true }).catch(ignoreMissing);
    if (moved !== undefined && (version === undefined || fileVersionOf(moved) === version)) return staged;
    this.#own.delete(stagedEntry);
    if (moved !== undefined) this.#onReplaced(stagedEntry);
    return undefined;
  }

  /** This process is done with a staged file. If the file is still there, the next scan handles it again. */
  release(path: string): void {
    this.#own.delete(basename(path));
  }

  async remove(path: string): Promise<void> {
    await unlink(path)
      .catch(ignoreMissing)
      .finally(() => this.release(path));
  }
}
