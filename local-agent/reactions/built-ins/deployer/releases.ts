import { createHash } from "node:crypto";
import {
  chmod,
  copyFile,
  lstat,
  mkdir,
  open,
  readdir,
  readFile,
  readlink,
  rename,
  rm,
  symlink,
} from "node:fs/promises";
import { basename, dirname, join, relative } from "node:path";
import { openExchange } from "../../../base/files/exchange.ts";
import { ifThere, syncDirectory } from "../../../base/files/replace-file.ts";

/**
 * Identity of what a winner holds: the first 16 digits of the SHA-256 over its names, permissions to execute, and
 * contents.
 */
export async function digestOf(path: string): Promise<string> {
  const hash = createHash("sha256");
  for (const { name, file } of await filesOf(path)) {
    const at = join(path, name);
    const executable = ((await lstat(at)).mode & 0o111) !== 0;
    const content = file === "link" ? await readlink(at) : await readFile(at);
    hash.update(JSON.stringify([name, file, executable, content.length]));
    hash.update(content);
  }
  return hash.digest("hex").slice(0, 16);
}

/** Somebody else changed something in the moment in which it was to be changed: his change stands. */
export class ChangedMeanwhile extends Error {
  override readonly name = "ChangedMeanwhile";
}

/**
 * Copies a winner to `release`, which is there afterwards whole or not at all. One that is there already stays: its name
 * holds the digest of its content.
 *
 * @throws ChangedMeanwhile when the winner is not what its digest was taken of
 */
export async function install(winner: string, release: string): Promise<void> {
  if ((await ifThere(lstat(release))) !== undefined) return;
  const temporary = join(dirname(release), `.${basename(release)}.tmp`);
  // Left by a crash, perhaps of another content.
  await rm(temporary, { recursive: true, force: true });
  if ((await lstat(winner)).isDirectory()) await mkdir(temporary, { recursive: true });
  else await mkdir(dirname(temporary), { recursive: true });
  const directories = new Set<string>([dirname(temporary)]);
  for (const { name, file } of await filesOf(winner)) {
    const target = join(temporary, name);
    await mkdir(dirname(target), { recursive: true });
    directories.add(dirname(target));
    if (file === "link") await symlink(await readlink(join(winner, name)), target);
    else await copyDurably(join(winner, name), target);
  }
  // A person, or the next dream, may write to it while it is copied: half of each is nothing that anybody made.
  if ((await digestOf(temporary)) !== basename(release))
    throw new ChangedMeanwhile(`${winner} was changed while it was copied`);
  for (const directory of directories) await syncDirectory(directory);
  await rename(temporary, release);
  await syncDirectory(dirname(release));
}

/** Where the link at `path` leads; `undefined`: there is none. */
export async function targetOf(path: string): Promise<string | undefined> {
  const entry = await ifThere(lstat(path));
  return entry?.isSymbolicLink() ? readlink(path) : undefined;
}

/**
 * Makes `path` a link to `release`, in one step: whoever opens it meets the old release or the new one. The link is
 * relative, so that the tree may be moved as a whole.
 *
 * @param before - where it led when it was looked at; `null`: there was nothing of that name
 * @throws ChangedMeanwhile when something else stands there; it still does
 */
export async function switchTo(path: string, release: string, before: string | null): Promise<void> {
  const target = relative(dirname(path), release);
  if ((await targetOf(path)) === target) return;
  if (before === null) {
    await symlink(target, path).catch((error: NodeJS.ErrnoException) => {
      throw error.code === "EEXIST" ? moved(path) : error;
    });
  } else {
    const beside = join(dirname(path), `.${basename(path)}.link.tmp`);
    await rm(beside, { force: true });
    await symlink(target, beside);
    const exchange = await openExchange();
    const exchanged = (await targetOf(path)) !== undefined && exchange(beside, path);
    if ((await targetOf(exchanged ? beside : path)) !== before) {
      // What came out is somebody's, a directory perhaps: it goes back before anything else happens.
      if (exchanged) exchange(beside, path);
      if ((await targetOf(beside)) === target) await rm(beside);
      throw moved(path);
    }
    await (exchanged ? rm(beside) : rename(beside, path));
  }
  await syncDirectory(dirname(path));
}

/**
 * Takes away the link at `path`.
 *
 * @throws ChangedMeanwhile when it does not lead to `release` any more; it stays then
 */
export async function unlinkFrom(path: string, release: string): Promise<void> {
  const target = relative(dirname(path), release);
  const aside = join(dirname(path), `.${basename(path)}.link.tmp`);
  if ((await targetOf(path)) !== target) throw moved(path);
  await rm(aside, { force: true });
  await rename(path, aside);
  if ((await targetOf(aside)) !== target) {
    await rename(aside, path);
    throw moved(path);
  }
  await rm(aside);
  await syncDirectory(dirname(path));
}

function moved(path: string): ChangedMeanwhile {
  return new ChangedMeanwhile(`somebody else changed ${path} meanwhile`);
}

async function copyDurably(from: string, to: string): Promise<void> {
  await copyFile(from, to);
  await chmod(to, (await lstat(from)).mode & 0o7777);
  const file = await open(to, "r");
  try {
    await file.sync();
  } finally {
    await file.close();
  }
}

interface FoundFile {
  /** Below the winner; empty for a winner that is one file. */
  readonly name: string;
  readonly file: "file" | "link";
}

/** In an order that does not depend on the file system. */
async function filesOf(path: string): Promise<FoundFile[]> {
  const entry = await lstat(path);
  if (entry.isFile()) return [{ name: "", file: "file" }];
  const found: FoundFile[] = [];
  for (const one of await readdir(path, { recursive: true, withFileTypes: true })) {
    const name = relative(path, join(one.parentPath, one.name));
    if (one.isSymbolicLink()) found.push({ name, file: "link" });
    else if (one.isFile()) found.push({ name, file: "file" });
  }
  return found.sort((a, b) => (a.name < b.name ? -1 : 1));
}
