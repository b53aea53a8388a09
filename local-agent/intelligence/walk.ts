import type { BigIntStats, Dirent } from "node:fs";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { type Language, languageOfPath } from "../../src/core/intelligence/file-facts.ts";
import { statusOf } from "./read-code-file.ts";

export interface WalkOptions {
  readonly languages: ReadonlySet<Language>;
  readonly ignored: ReadonlySet<string>;
  /** Called before a directory is read. */
  readonly onDirectory: (path: string) => void;
}

/** A tree that is deeper is no source tree. */
const MAX_DEPTH = 64;

/** Whether a file of this name is one that is read. */
export function isCodeName(name: string, { languages }: Pick<WalkOptions, "languages">): boolean {
  const language = languageOfPath(name);
  return language !== undefined && languages.has(language);
}

/**
 * The code files below a directory, those of each directory together, without what is ignored. Links are not followed; a
 * directory that goes away is empty.
 */
async function* walk(
  directory: string,
  options: WalkOptions,
  depth = 0,
): AsyncGenerator<readonly string[], void, void> {
  if (depth > MAX_DEPTH) return;
  options.onDirectory(directory);
  const below: string[] = [];
  const files: string[] = [];
  for (const entry of await entriesOf(directory)) {
    if (options.ignored.has(entry.name) || entry.name.includes("\uFFFD")) continue;
    const path = join(directory, entry.name);
    if (entry.isDirectory()) below.push(path);
    else if (entry.isFile() && isCodeName(entry.name, options)) files.push(path);
  }
  if (files.length > 0) yield files;
  for (const path of below) yield* walk(path, options, depth + 1);
}

/** Files whose status is asked for together: one by one, most of the time goes by in waiting. */
const AT_ONCE = 128;

/** Each code file below a directory with its status of a moment ago, as many as are looked at together. */
export async function* walkWithStatus(
  directory: string,
  options: WalkOptions,
): AsyncGenerator<readonly (readonly [path: string, status: BigIntStats | undefined])[], void, void> {
  for await (const paths of walk(directory, options)) {
    for (let first = 0; first < paths.length; first += AT_ONCE) {
      const batch = paths.slice(first, first + AT_ONCE);
      yield await Promise.all(batch.map(async (path) => [path, await statusOf(path)] as const));
    }
  }
}

async function entriesOf(directory: string): Promise<Dirent[]> {
  try {
    return await readdir(directory, { withFileTypes: true });
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ENOENT" || code === "ENOTDIR" || code === "EACCES") return [];
    throw error;
  }
}
