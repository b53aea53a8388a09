import { readFileSync } from "node:fs";
import { copyFile, link, readFile, realpath, rename, stat, unlink } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { type Exchange, openExchange } from "./exchange.ts";
import { ignoreMissing } from "./ignore-missing.ts";
import { ifThere, syncDirectory } from "./replace-file.ts";
import { writeWhole } from "./write-whole.ts";

export interface ReplaceOptions {
  /** Where the old content goes; what somebody who has the file open still writes goes there, too. Default: nowhere. */
  readonly backup?: string;
}

/**
 * Replaces a file that people edit, and only if it is what was read: an edit that is saved in the same moment stays.
 * There is no lock that an editor would heed. So the old file and the new one are exchanged in one step, and what comes
 * out is looked at: if it is not what was read, it goes back.
 *
 * @param before - what was read; `null`: there was no file
 * @param after - `null`: the file goes
 * @returns `changed`: somebody else's content stands there, and is as it was
 */
export async function replaceUnchanged(
  path: string,
  before: string | null,
  after: string | null,
  { backup }: ReplaceOptions = {},
): Promise<"replaced" | "changed"> {
  const target = await realpath(path).catch(() => path);
  const folder = dirname(target);
  // Of a name of its own: what an earlier attempt left in a crash is looked at first.
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
  // Mostly it is seen here, and nobody meets our text for the moment until it is taken back.
  if (mode === undefined || (await ifThere(readFile(target, "utf8"))) !== before) return "changed";
  await writeWhole(beside, after, { mode: mode.mode & 0o7777 });
  const exchange = await openExchange();
  // In one go, so that nobody meets our text for longer than it takes to see that it may not stay.
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
    // Between the look and the rename is a moment that this file system cannot do without.
    if (backup !== undefined) await copyFile(target, backup);
    await rename(beside, target);
  }
  await syncDirectory(folder);
  return "replaced";
}

/**
 * Puts what came out back into its place. Should somebody have saved on top of ours in that moment, his text comes out
 * then: he was later, and it goes back in turn.
 *
 * @returns what `beside` holds in the end: our text, or an edit that a later one has replaced
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

/** A crash came between the exchange and the look: whether somebody's edit came out is not known, so it is kept where people see it. */
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

/** @returns `false`: there is something of that name already */
async function unlessThere(make: Promise<void>): Promise<boolean> {
  try {
    await make;
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
    return false;
  }
}

/** @returns `undefined` where something of it is not there */
function isThere<T>(look: () => T): T | undefined {
  try {
    return look();
  } catch (error) {
    ignoreMissing(error);
    return undefined;
  }
}
