import { realpath } from "node:fs/promises";
import { basename, dirname, join, relative, resolve, sep } from "node:path";
import { ifThere } from "./replace-file.ts";

/** A path that came from data leads, or would lead, out of the directory that it was meant for. */
export class OutsidePath extends Error {
  override readonly name = "OutsidePath";
}

/** Whether a path is below a directory, by its text alone. Links are not resolved: both paths must be real ones. */
export function isBelow(root: string, path: string): boolean {
  const inside = relative(root, path);
  return inside !== "" && inside !== ".." && !inside.startsWith(`..${sep}`) && !inside.startsWith(sep);
}

/**
 * The path of an entry of `root`, for a name that came from data: a file, a signal or another program.
 *
 * @throws OutsidePath for a text that is more than the name of an entry
 */
export function entryOf(root: string, name: string): string {
  if (name === "" || name === "." || name === ".." || name.includes("\0") || basename(name) !== name)
    throw new OutsidePath(
      `${JSON.stringify(name.slice(0, 100))} is not the name of a file: a path may not lead out of ${root}`,
    );
  return join(root, name);
}

/**
 * Resolves a path below `root`, and refuses one that leads out of it, by `..` or by a link on the way. What is at the
 * path itself need not exist yet, and is not followed: open it with O_NOFOLLOW, or replace it by a rename.
 *
 * A program that may change directories below `root` can still put a link there between this check and the use of the
 * path. The check closes what lies there, and what data names.
 *
 * @returns the real path
 * @throws OutsidePath
 */
export async function pathInside(root: string, path: string): Promise<string> {
  const realRoot = await realpath(root);
  const target = resolve(root, path);
  const parent = dirname(target);
  const realParent = (await ifThere(realpath(parent))) ?? parent;
  const real = join(realParent, basename(target));
  if (realParent !== realRoot && !isBelow(realRoot, realParent))
    throw new OutsidePath(
      `${target} leads out of ${root}, to ${realParent}: replace the link by a directory, or choose another directory in the settings`,
    );
  if (!isBelow(realRoot, real)) throw new OutsidePath(`${target} leads out of ${root}`);
  return real;
}

/**
 * Checks that a directory below `root` is where it seems to be. A missing directory is none of another program's.
 *
 * @throws OutsidePath for a directory that is a link, or lies behind one, that leads out of `root`
 */
export async function directoryInside(root: string, directory: string): Promise<void> {
  const realRoot = await ifThere(realpath(root));
  const real = await ifThere(realpath(directory));
  if (realRoot === undefined || real === undefined) return;
  if (real !== realRoot && !isBelow(realRoot, real))
    throw new OutsidePath(
      `${directory} is a link that leads out of ${root}, to ${real}: replace it by a directory, or choose another directory in the settings`,
    );
}
