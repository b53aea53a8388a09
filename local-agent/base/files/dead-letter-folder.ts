import { constants, copyFile, link, lstat, mkdir, rename, unlink } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { FieldError } from "../../../src/core/problem/field-error.ts";
import { ignoreMissing } from "./ignore-missing.ts";
import { directoryInside } from "./path-inside.ts";
import { writeWhole } from "./write-whole.ts";

/** Why a file was dead-lettered. All members are written to its error file. */
export interface DeadFile {
  readonly reason: string;
  readonly errors?: readonly FieldError[];
  readonly [detail: string]: unknown;
}

/**
 * Moves a file that cannot be processed into `folder`, with `<name>.error.json` beside it. A dead letter of the same
 * name is never overwritten: the new one becomes `<name>.2.json`, and so on.
 *
 * @param name - ends with `.json`
 * @param root - the directory that `folder` must not lead out of, by a link that another program has put there
 * @returns the name in the folder, or `undefined` when the file was gone
 */
export async function moveToDeadLetters(
  path: string,
  name: string,
  folder: string,
  dead: DeadFile,
  nowMs: number,
  root = dirname(folder),
): Promise<string | undefined> {
  await mkdir(folder, { recursive: true });
  await directoryInside(root, folder);
  const stem = name.slice(0, -".json".length);
  for (let copy = 1; ; copy++) {
    const free = copy === 1 ? stem : `${stem}.${copy}`;
    const error = join(folder, `${free}.error.json`);
    if (await exists(error)) continue;
    const outcome = await linkInto(path, join(folder, `${free}.json`));
    if (outcome === "gone") return undefined;
    if (outcome === "taken") continue;
    const { reason, errors, ...rest } = dead;
    const timestamp = new Date(nowMs).toISOString();
    await writeWhole(error, `${JSON.stringify({ reason, errors, timestamp, file: name, ...rest }, null, 2)}\n`);
    // Last: after a crash before this line the next scan finds the file again, with its link in the folder, and
    // continues here.
    await unlink(path).catch(ignoreMissing);
    return `${free}.json`;
  }
}

/**
 * Unlike a rename, a hard link does not overwrite. Where the target is a link to the same file, this function made it
 * before a crash.
 */
async function linkInto(path: string, target: string): Promise<"done" | "taken" | "gone"> {
  try {
    await link(path, target);
    return "done";
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ENOENT") return "gone";
    if (code === "EEXIST") return (await sameFile(path, target)) ? "done" : "taken";
    if (code !== "EXDEV" && code !== "EPERM" && code !== "EMLINK" && code !== "ENOTSUP") throw error;
  }
  // The folder is on another file system, or this file system has no hard links (or none to files of other users).
  if (await exists(target)) return "taken";
  try {
    await rename(path, target);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EXDEV") throw error;
    await copyFile(path, target, constants.COPYFILE_EXCL);
  }
  return "done";
}

async function sameFile(one: string, other: string): Promise<boolean> {
  const [a, b] = await Promise.all([lstat(one, { bigint: true }), lstat(other, { bigint: true })]);
  return a.dev === b.dev && a.ino === b.ino;
}

async function exists(path: string): Promise<boolean> {
  return lstat(path).then(
    () => true,
    () => false,
  );
}
