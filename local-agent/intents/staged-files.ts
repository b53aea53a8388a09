import { randomBytes } from "node:crypto";
import { lstat, rename, unlink } from "node:fs/promises";
import { basename, join } from "node:path";
import { shortName } from "../base/files/file-names.ts";
import { ignoreMissing } from "../base/files/ignore-missing.ts";
import { type FileVersion, fileVersionOf } from "../base/files/read-dropped-file.ts";

/** A file in the watched directory. */
export interface WatchedFile {
  readonly path: string;
  /** Its name in the directory now. */
  readonly entry: string;
  /**
   * The name under which it was dropped, shortened where that is too long for the agent's own names. Differs from `entry`
   * also for a file that was staged before a crash. Ends with `.json`.
   */
  readonly name: string;
}

/**
 * Name of a file between the decision what becomes of it and its removal: `.<name>.<random>.staged`. An earlier version
 * wrote `.aside`, and a crash of it may have left such a file.
 */
const STAGED = /^\.(.+\.json)\.[0-9a-f]{12}\.(?:staged|aside)$/;
/** Other spellings of `.json`, from systems that ignore case in file names. */
const JSON_NAME = /\.json$/i;
/** Files of several JSON values, which are no intents. */
const JSON_LINES_NAME = /\.(jsonl|ndjson)$/i;
/** Names that editors and copying programs give to files that are not finished. */
const TEMPORARY_NAME = /^\.|\.(tmp|temp|part|partial|swp|crdownload|filepart)$|~$/i;

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

  /**
   * What an entry of the directory may be: an intent, dropped or staged before a crash; JSON lines, which are none;
   * `other`: a file that nobody reads; `undefined`: one that is not meant to be read.
   */
  kindOf(entry: string): "intent" | "json_lines" | "other" | undefined {
    if (this.#own.has(entry)) return undefined;
    if (STAGED.test(entry)) return "intent";
    if (TEMPORARY_NAME.test(entry)) return undefined;
    if (JSON_NAME.test(entry)) return "intent";
    return JSON_LINES_NAME.test(entry) ? "json_lines" : "other";
  }

  locate(entry: string): WatchedFile {
    const dropped = JSON_NAME.test(entry) ? entry.replace(JSON_NAME, ".json") : `${entry}.json`;
    return { path: join(this.#directory, entry), entry, name: STAGED.exec(entry)?.[1] ?? shortName(dropped) };
  }

  /**
   * @param version - of the content that was read; `undefined`: the content could not be read
   * @returns the staged file's path; `undefined` when the file was gone, or was another one
   */
  async stage({ path, entry, name }: WatchedFile, version: FileVersion | undefined): Promise<string | undefined> {
    if (STAGED.test(entry)) return path;
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

/** @returns `undefined` for a file that is gone */
export async function versionAt(path: string): Promise<FileVersion | undefined> {
  const found = await lstat(path, { bigint: true }).catch(ignoreMissing);
  return found === undefined ? undefined : fileVersionOf(found);
}
