import { createHash } from "node:crypto";
import { constants } from "node:fs";
import { lstat, mkdir, open, readdir, readFile, readlink, rename, rm, symlink } from "node:fs/promises";
import { basename, dirname, join, relative, resolve, sep } from "node:path";
import { openExchange } from "../../../base/files/exchange.ts";
import { isBelow } from "../../../base/files/path-inside.ts";
import { ifThere, syncDirectory } from "../../../base/files/replace-file.ts";

/** Never follows a link: what it leads to is not the winner's. */
const NO_LINK = constants.O_RDONLY | constants.O_NOFOLLOW;

/**
 * Identity of a winner's content: the first 16 digits of the SHA-256 over its file names, execute permissions and
 * contents.
 */
export async function digestOf(path: string): Promise<string> {
  const hash = createHash("sha256");
  for (const { name, file } of await filesOf(path)) {
    const at = join(path, name);
    const executable = ((await lstat(at)).mode & 0o111) !== 0;
    const content = file === "link" ? await readlink(at) : await readFile(at, { flag: NO_LINK });
    hash.update(JSON.stringify([name, file, executable, content.length]));
    hash.update(content);
  }
  return hash.digest("hex").slice(0, 16);
}

/** Another program changed a file or link at the same moment. Its change stays. */
export class ChangedMeanwhile extends Error {
  override readonly name = "ChangedMeanwhile";
}

/** A winner is a link, or holds one that leads out of it: it would be deployed with files that are not its own. */
export class ForeignLink extends Error {
  override readonly name = "ForeignLink";
}

/** Identity of a winner that is a link, which is refused: by it the deployer knows that it was told of already. */
export async function linkId(path: string): Promise<string> {
  const target = await readlink(path);
  return `link-${createHash("sha256").update(target).digest("hex").slice(0, 16)}`;
}

/** @throws ForeignLink */
async function requireOwnLinks(winner: string): Promise<void> {
  if ((await lstat(winner)).isSymbolicLink())
    throw new ForeignLink(`${winner} is a link: put the winner itself into the directory of winners`);
  for (const { name, file } of await filesOf(winner)) {
    if (file !== "link") continue;
    const target = await readlink(join(winner, name));
    if (target.startsWith(sep) || !isBelow(winner, resolve(winner, dirname(name), target)))
      throw new ForeignLink(`${join(winner, name)} is a link to ${target}, which leads out of the winner: remove it`);
  }
}

/**
 * Copies a winner to `release`: afterwards the release is complete, or does not exist. A release that exists already
 * stays, because its name is the digest of its content.
 *
 * @throws ChangedMeanwhile when the winner has changed since its digest was computed; ForeignLink
 */
export async function install(winner: string, release: string): Promise<void> {
  if ((await ifThere(lstat(release))) !== undefined) return;
  await requireOwnLinks(winner);
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
  // A person, or the next dream, may write to the winner while it is copied: a mixture of two versions must not be
  // deployed.
  if ((await digestOf(temporary)) !== basename(release))
    throw new ChangedMeanwhile(`${winner} was changed while it was copied`);
  for (const directory of directories) await syncDirectory(directory);
  await rename(temporary, release);
  await syncDirectory(dirname(release));
}

/** Target of the link at `path`; `undefined` when there is no link. */
export async function targetOf(path: string): Promise<string | undefined> {
  const entry = await ifThere(lstat(path));
  return entry?.isSymbolicLink() ? readlink(path) : undefined;
}

/**
 * Makes `path` a link to `release`, in one step: a program that opens it finds the old release or the new one. The link
 * is relative, so that the tree may be moved as a whole.
 *
 * @param before - the link's target when it was read; `null`: there was nothing of that name
 * @throws ChangedMeanwhile when `path` is something else by now; it stays so
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
      // The exchange took out something of another program, perhaps a directory: it goes back before anything else.
      if (exchanged) exchange(beside, path);
      if ((await targetOf(beside)) === target) await rm(beside);
      throw moved(path);
    }
    await (exchanged ? rm(beside) : rename(beside, path));
  }
  await syncDirectory(dirname(path));
}

/**
 * Removes the link at `path`.
 *
 * @throws ChangedMeanwhile when the link does not lead to `release` any more; it stays then
 */
export async function unlinkFrom(path: string, release: string): Promise<void> {
  const target = relative(dirname(path), release);
  const beside = join(dirname(path), `.${basename(path)}.link.tmp`);
  if ((await targetOf(path)) !== target) throw moved(path);
  await rm(beside, { force: true });
  await rename(path, beside);
  if ((await targetOf(beside)) !== target) {
    await rename(beside, path);
    throw moved(path);
  }
  await rm(beside);
  await syncDirectory(dirname(path));
}

function moved(path: string): ChangedMeanwhile {
  return new ChangedMeanwhile(`another program changed ${path} at the same moment`);
}

async function copyDurably(from: string, to: string): Promise<void> {
  const source = await open(from, NO_LINK);
  try {
    const { mode } = await source.stat();
    const copy = await open(to, "wx");
    try {
      await copy.writeFile(await source.readFile());
      await copy.chmod(mode & 0o7777);
      await copy.sync();
    } finally {
      await copy.close();
    }
  } finally {
    await source.close();
  }
}

interface FoundFile {
  /** Path below the winner; empty for a winner that is one file. */
  readonly name: string;
  readonly file: "file" | "link";
}

/** The winner's files, in an order that does not depend on the file system. */
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
