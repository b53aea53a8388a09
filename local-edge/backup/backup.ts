import {
  chmodSync,
  chownSync,
  closeSync,
  copyFileSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { createRequire } from "node:module";
import { basename, dirname, join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { setTimeout as pause } from "node:timers/promises";
import { runningRuntime } from "../orphans.ts";
import { edgeFiles, PROJECT_ROOT } from "../paths.ts";
import { MANIFEST, type Manifest } from "./manifest.ts";
import { readBack, recordFiles } from "./read-back.ts";
import { TooMuch, TreeCopy } from "./tree-copy.ts";
import { WentOn, whileStopped } from "./while-stopped.ts";

const WORKERD = (createRequire(import.meta.url)("workerd") as { default: string }).default;

/** How long the runtime may stand still, in milliseconds: the watchdog takes one that is silent for seconds for dead. */
const PAUSE_MS = 1_500;
/** What a disk copies at least in a millisecond, in bytes, until it is known. */
const SLOW_BYTES_PER_MS = 50_000;
/** Rounds of copying while the edge runs, until little is left. */
const ROUNDS = 5;
const LITTLE_BYTES = 4 * 1024 * 1024;
/** Attempts to find the runtime, or to stop it. */
const ATTEMPTS = 20;
const AGAIN_MS = 500;

export interface Backup extends Manifest {
  readonly directory: string;
  readonly databases: number;
}

/**
 * Copies the state of an edge while the edge runs. Most of it is copied beside the edge's work; then the runtime is stopped
 * for the moment in which what has changed meanwhile is copied. So all objects are copied as they were at the same moment,
 * and what has been copied is what `kill -9` at that moment would have left: every confirmed write, and nothing half.
 *
 * The copy is read back, page by page, and a list with the sum of each file is written beside it. It is a state directory:
 * an edge can be started on it.
 *
 * @param directory - does not exist yet; it appears whole or not at all
 */
export async function backUp(stateDir: string, directory: string): Promise<Backup> {
  const files = edgeFiles(stateDir);
  if (existsSync(directory)) throw new Error(`${directory} exists. Name a directory that does not exist yet.`);
  if (!existsSync(files.storage))
    throw new Error(`${stateDir} has no state of an edge. Name the edge's state directory (--state-dir).`);
  if (`${directory}/`.startsWith(`${files.storage}/`))
    throw new Error(`${directory} lies in the state that would be copied. Name another directory.`);
  const part = `${directory}.part`;
  if (existsSync(part))
    throw new Error(`${part} is left of a backup that was interrupted. Delete it, and call this again.`);
  const lock = lockBackups(stateDir);
  try {
    mkdirSync(part, { mode: 0o700 });
    try {
      const { pauseMs, at } = await copyState(stateDir, part);
      const databases = readBack(part);
      const manifest: Manifest = { format: 1, at, version: version(), pause_ms: pauseMs, files: recordFiles(part) };
      writeFileSync(join(part, MANIFEST), `${JSON.stringify(manifest, null, 1)}\n`, { mode: 0o600, flush: true });
      for (const path of pathsIn(part)) giveTo(stateDir, path);
      for (const folder of foldersOf(part)) flushFolder(folder);
      renameSync(part, directory);
      flushFolder(dirname(directory));
      return { ...manifest, directory, databases };
    } catch (error) {
      rmSync(part, { recursive: true, force: true });
      throw error;
    }
  } finally {
    lock.close();
  }
}

async function copyState(stateDir: string, part: string): Promise<{ readonly pauseMs: number; readonly at: string }> {
  const files = edgeFiles(stateDir);
  copyFileSync(files.token, join(part, basename(files.token)));
  chmodSync(join(part, basename(files.token)), 0o600);
  const copy = new TreeCopy(files.storage, join(part, basename(files.storage)));
  let speed = SLOW_BYTES_PER_MS;
  for (let attempt = 0; ; attempt++) {
    for (let round = 0; round < ROUNDS; round++) {
      const { bytes, ms } = copy.round();
      if (bytes > LITTLE_BYTES) speed = bytes / ms;
      else break;
    }
    try {
      return await lastRound(stateDir, copy, speed * PAUSE_MS);
    } catch (error) {
      if (!(error instanceof WentOn || error instanceof TooMuch)) throw error;
      if (attempt + 1 >= ATTEMPTS)
        throw new Error(
          `The edge was not copied: ${error.message}. Choose a faster disk or a quieter hour, or stop the edge for the backup.`,
        );
      await pause(AGAIN_MS);
    }
  }
}

async function lastRound(stateDir: string, copy: TreeCopy, mostBytes: number) {
  const files = edgeFiles(stateDir);
  const take = () => ({ at: new Date().toISOString(), pauseMs: Math.ceil(copy.round(mostBytes).ms) });
  const pid = runningRuntime(files.runtimePid, WORKERD);
  if (pid !== undefined) {
    if (!existsSync(`/proc/${pid}/task`))
      throw new Error("A running edge can be copied on Linux alone. Stop the edge, and call this again.");
    return whileStopped(pid, take);
  }
  // No runtime: either no edge runs, and none may begin, or the edge is about to start its runtime again.
  const edge = tryLock(files.lock);
  if (edge === undefined) throw new WentOn("the edge has no runtime at the moment");
  try {
    giveTo(stateDir, files.lock);
    return { ...take(), pauseMs: 0 };
  } finally {
    edge.close();
  }
}

/** One backup at a time: the end of one would let the runtime go on under another. */
function lockBackups(stateDir: string): DatabaseSync {
  const file = join(stateDir, "backup.lock");
  const lock = tryLock(file);
  if (lock === undefined) throw new Error(`Another backup of ${stateDir} is under way. Wait for its end.`);
  giveTo(stateDir, file);
  return lock;
}

/** Root copies the state of a service for the service's user, who is to be able to start on the copy. */
function giveTo(stateDir: string, path: string): void {
  const { uid, gid } = statSync(stateDir);
  if (process.getuid?.() === 0) chownSync(path, uid, gid);
}

/** A lock of the kernel, which is gone with its process. @see lock.ts */
function tryLock(file: string): DatabaseSync | undefined {
  const database = new DatabaseSync(file, { timeout: 0 });
  try {
    database.exec("PRAGMA journal_mode = MEMORY; PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE");
    return database;
  } catch (error) {
    database.close();
    if (!/locked/i.test(String(error))) throw error;
    return undefined;
  }
}

function pathsIn(directory: string): string[] {
  return [
    directory,
    ...readdirSync(directory, { recursive: true, encoding: "utf8" }).map((name) => join(directory, name)),
  ];
}

const foldersOf = (directory: string) => pathsIn(directory).filter((path) => statSync(path).isDirectory());

function flushFolder(folder: string): void {
  const handle = openSync(folder, "r");
  try {
    fsyncSync(handle);
  } finally {
    closeSync(handle);
  }
}

function version(): string {
  const manifest = JSON.parse(readFileSync(join(PROJECT_ROOT, "package.json"), "utf8")) as { version: string };
  return manifest.version;
}
