import { readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { setTimeout as pause } from "node:timers/promises";
import { edgeFiles } from "./paths.ts";

export interface EdgeLock {
  /** Writes the address of the edge, for the command line and for the message to a second edge. */
  announce(url: string): void;
  /** An edge that is started from now on waits for the end of this one. */
  announceStop(): void;
  release(): void;
}

/** How long to wait for an edge that may be ending without having noticed yet: its parent was killed a moment ago. */
const HELD_MS = 3_000;
/** How long to wait for an edge that is stopping, and its agent with it. */
const STOPPING_MS = 20_000;
const PAUSE_MS = 50;

/**
 * One edge on one state directory. Two edges would write the same log and give numbers twice.
 *
 * The lock is SQLite's, which is a lock of the kernel on the file: it is gone the moment its process is, however that
 * ends. A file with a process id in it would outlive a `kill -9` and lock out its own successor.
 *
 * @throws an error that names the other edge, when that does not end
 */
export async function lockEdge(stateDir: string): Promise<EdgeLock> {
  const files = edgeFiles(stateDir);
  const database = await lockedDatabase(stateDir, files);
  // The file is from an edge that is gone, since we hold the lock.
  rmSync(files.running, { force: true });
  let url: string | undefined;
  const write = (stopping?: true) => {
    // Put in place whole: an edge that is started at this moment reads all of the file, or what was there before.
    const whole = `${files.running}.new`;
    writeFileSync(whole, `${JSON.stringify({ url, pid: process.pid, stopping })}\n`, { mode: 0o600 });
    renameSync(whole, files.running);
  };
  return {
    announce: (given) => {
      url = given;
      write();
    },
    announceStop: () => {
      if (url === undefined || !database.isOpen) return;
      try {
        write(true);
      } catch {
        // On a full disk the next edge gives up earlier. The stop itself must not depend on it.
      }
    },
    release: () => {
      rmSync(files.running, { force: true });
      if (database.isOpen) database.close();
    },
  };
}

async function lockedDatabase(stateDir: string, files: ReturnType<typeof edgeFiles>): Promise<DatabaseSync> {
  const startedMs = performance.now();
  const patience = new Patience();
  for (;;) {
    const database = new DatabaseSync(files.lock, { timeout: 0 });
    try {
      database.exec("PRAGMA journal_mode = MEMORY; PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE");
      return database;
    } catch (error) {
      database.close();
      if (!/locked/i.test(String(error))) throw error;
    }
    const other = readHolder(files.running);
    if (!patience.lasts(performance.now() - startedMs, other))
      throw new Error(
        `Another edge runs on ${stateDir}${describe(other)}. Stop that edge, or set GANGLION_STATE_DIR to another directory.`,
      );
    await pause(PAUSE_MS);
  }
}

/** What an edge wrote about itself. */
interface Holder {
  readonly url: string;
  readonly pid: number;
  readonly stopping?: boolean;
}

/** How long an edge waits for another one that holds the lock. */
export class Patience {
  #stopping = false;

  /**
   * Whether to wait on. An edge that is stopping removes what it wrote before it gives the lock up, so that one which was seen
   * to stop is waited for as such, although nothing is found any more.
   *
   * @param waitedMs - since the first try
   * @param holder - who was found to hold the lock; `undefined` where nothing was written
   */
  lasts(waitedMs: number, holder: Holder | undefined): boolean {
    this.#stopping ||= holder?.stopping === true;
    return waitedMs < (this.#stopping ? STOPPING_MS : HELD_MS);
  }
}

function readHolder(runningFile: string): Holder | undefined {
  try {
    return JSON.parse(readFileSync(runningFile, "utf8")) as Holder;
  } catch {
    // The other edge is still starting, or has just stopped: leave its address out of the message.
    return undefined;
  }
}

const describe = (holder: Holder | undefined) =>
  holder === undefined ? "" : ` (process ${holder.pid}, ${holder.url})`;
