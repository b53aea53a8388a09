import { readFileSync } from "node:fs";
import { copyFile, link, readFile, realpath, rename, stat, unlink } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { type Exchange, openExchange } from "./exchange.ts";
import { ignoreMissing } from "./ignore-missing.ts";
import { ifThere, syncDirectory } from "./replace-file.ts";
import { writeWhole } from "./write-whole.ts";

export interface ReplaceOptions {
  /** Path for the old content, and for later writes of programs that have the old file open. Default: deleted. */
  readonly backup?: string;
}

/**
 * Replaces a file that people edit, unless it has changed since it was read: an edit that is saved at the same moment is
 * kept. Editors respect no lock. So the old file and the new one are exchanged in one step, and the replaced content is
 * checked: when it differs from what was read, it is put back.
 *
 * @param before - the content that was read; `null`: there was no file
 * @param after - the new content; `null`: delete the file
 * @returns `changed`: the file has other content than `before`, and was left as it is
 */
export async function replaceUnchanged(
  path: string,
  before: string | null,
  after: string | null,
  { backup }: ReplaceOptions = {},
): Promise<"replaced" | "changed"> {
  const target = await realpath(path).catch(() => path);
  const folder = dirname(target);
  // A fixed name, so that the leftover of an attempt that crashed is found and kept first.
  const beside = join(folder, `.${basename(target)}.exchanged`);
  await keepLeft(beside, target);
  if (before === null) {
    if (after === null) return (await ifThere(stat(target))) === undefined ? "replaced" : "changed";
    await writeWhole(beside, after, { mode: 0o644 });
    const put = await unlessThere(link(beside, target));
    await unlink(beside);
    await syncDirectory(folder);
    return put ? "replaced" : "changed";
  }
  if (after === null) {
    if ((await ifThere(rename(target, beside).then(() => true))) === undefined) return "changed";
    if ((await readFile(beside, "utf8")) !== before) return putBack(beside, target);
    await unlink(beside);
    await syncDirectory(folder);
    return "replaced";
  }
  const mode = await ifThere(stat(target));
  // Most changes are found here, before any reader can see our text.
  if (mode === undefined || (await ifThere(readFile(target, "utf8"))) !== before) return "changed";
  await writeWhole(beside, after, { mode: mode.mode & 0o7777 });
  const exchange = await openExchange();
  // Synchronously, so that readers see our text as briefly as possible when it must be taken back.
  const exchanged = isThere(() => exchange(beside, target));
  const found = isThere(() => readFileSync(exchanged === true ? beside : target, "utf8"));
  if (found !== before) {
    const left = exchanged === true && found !== undefined ? giveBack(exchange, beside, target, after, found) : after;
    await (left === after ? unlink(beside) : rename(beside, await freeName(target)));
    await syncDirectory(folder);
    return "changed";
  }
  if (exchanged) await keep(beside, backup);
  else {
    // On this file system, an edit between the check and the rename is lost.
    if (backup !== undefined) await copyFile(target, backup);
    await rename(beside, target);
  }
  await syncDirectory(folder);
  return "replaced";
}

/**
 * Puts the replaced content back. When another edit was saved over our text meanwhile, that edit is the later one, and is
 * put back in turn.
 *
 * @returns the final content of `beside`: our text, or an edit that a later one has replaced
 */
function giveBack(exchange: Exchange, beside: string, target: string, ours: string, found: string): string {
  for (let [inPlace, out] = [ours, found]; ; ) {
    exchange(beside, target);
    const next = readFileSync(beside, "utf8");
    if (next === inPlace) return next;
    [inPlace, out] = [out, next];
  }
}

async function putBack(beside: string, target: string): Promise<"changed"> {
  if (await unlessThere(link(beside, target))) await unlink(beside);
  else await rename(beside, await freeName(target));
  return "changed";
}

async function keep(old: string, backup: string | undefined): Promise<void> {
  if (backup === undefined) return unlink(old);
  try {
    await rename(old, backup);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EXDEV") throw error;
    await copyFile(old, backup);
    await unlink(old);
  }
}

/** After a crash between exchange and check, `beside` may hold an edit of a person, so it is kept under a visible name. */
async function keepLeft(beside: string, target: string): Promise<void> {
  if ((await ifThere(stat(beside))) !== undefined) await rename(beside, await freeName(target));
}

/** `<file>.conflict`, `<file>.conflict-2`, … */
async function freeName(target: string): Promise<string> {
  for (let number = 1; ; number++) {
    const name = `${target}.conflict${number === 1 ? "" : `-${number}`}`;
    if ((await ifThere(stat(name))) === undefined) return name;
  }
}

/** @returns `false` when the name exists already */
async function unlessThere(make: Promise<void>): Promise<boolean> {
  try {
    await make;
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
    return false;
  }
}

/** @returns `undefined` when a file is missing */
function isThere<T>(look: () => T): T | undefined {
  try {
    return look();
  } catch (error) {
    ignoreMissing(error);
    return undefined;
  }
}
