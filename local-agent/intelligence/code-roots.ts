import { realpath, stat } from "node:fs/promises";
import { isAbsolute, normalize, relative, sep } from "node:path";
import { isNamePattern } from "../../src/core/intelligence/name-pattern.ts";
import { isBelow } from "../base/files/path-inside.ts";
import { RequestFailed } from "./request-failed.ts";

/** A directory of the settings, and the real one that it leads to while that is there. */
export interface CodeRoot {
  /** As the settings name it, absolute. */
  readonly path: string;
  readonly real: string;
  /** Tells the directory from another one that has taken its place. */
  readonly identity: string;
}

/** @returns `undefined` while there is no such directory */
export async function openRoot(path: string): Promise<CodeRoot | undefined> {
  try {
    const real = await realpath(path);
    const status = await stat(real, { bigint: true });
    if (!status.isDirectory()) return undefined;
    return { path, real, identity: `${real}:${status.dev}:${status.ino}:${status.birthtimeNs}` };
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ENOENT" || code === "ENOTDIR" || code === "EACCES" || code === "ELOOP") return undefined;
    throw error;
  }
}

/** The innermost of the roots that a real path lies in. */
export function rootAround(path: string, roots: readonly CodeRoot[]): CodeRoot | undefined {
  const within = ({ real }: CodeRoot) => path === real || path.startsWith(`${real}/`);
  return roots.filter(within).toSorted((a, b) => b.real.length - a.real.length)[0];
}

/** What a request's `source_path` means: a pattern or a path, below which root. */
export interface Wanted {
  readonly pattern: string;
  readonly isPattern: boolean;
  /** The only root that is meant; `undefined`: all. */
  readonly root: string | undefined;
}

const ACTION = "Give a pattern such as node_*_effect.py, or a path below a code root.";

/**
 * Reads a request's `source_path`. A path that leads out of the roots is refused by its text alone: nothing outside is even
 * looked at.
 *
 * @throws RequestFailed
 */
export function readWanted(sourcePath: string, roots: readonly Pick<CodeRoot, "path" | "real">[]): Wanted {
  if (sourcePath.includes("\0")) throw new RequestFailed("INVALID_INPUT", "source_path holds a zero character", ACTION);
  if (sourcePath.split(/[\\/]/).includes(".."))
    throw new RequestFailed("INVALID_INPUT", "source_path holds '..': it may not lead out of the code roots", ACTION);
  const pattern = normalize(sourcePath).replace(/\/+$/, "");
  const isPattern = isNamePattern(pattern);
  if (!isAbsolute(pattern))
    return { pattern: pattern === "." ? "*" : pattern, isPattern: isPattern || pattern === ".", root: undefined };
  for (const { path, real } of roots) {
    for (const base of new Set([path, real])) {
      if (pattern === base) return { pattern: "*", isPattern: true, root: path };
      if (isBelow(base, pattern))
        return { pattern: relative(base, pattern).split(sep).join("/"), isPattern, root: path };
    }
  }
  throw new RequestFailed("INVALID_INPUT", "source_path lies outside of the code roots", ACTION);
}
