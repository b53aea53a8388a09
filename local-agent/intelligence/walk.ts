import type { Dirent } from "node:fs";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { type Language, languageOfPath } from "../../src/core/intelligence/file-facts.ts";

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

/** The code files below a directory, without what is ignored. Links are not followed; a directory that goes away is empty. */
export async function* walk(directory: string, options: WalkOptions, depth = 0): AsyncGenerator<string, void, void> {
  if (depth > MAX_DEPTH) return;
  options.onDirectory(directory);
  const below: string[] = [];
  for (const entry of await entriesOf(directory)) {
    if (options.ignored.has(entry.name) || entry.name.includes("\uFFFD")) continue;
    const path = join(directory, entry.name);
    if (entry.isDirectory()) below.push(path);
    else if (entry.isFile() && isCodeName(entry.name, options)) yield path;
  }
  for (const path of below) yield* walk(path, options, depth + 1);
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
