import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { edgeFiles } from "./paths.ts";

export interface EdgeLock {
  /** Writes the address of the edge, for the command line and for the message to a second edge. */
  announce(url: string): void;
  release(): void;
}

/**
 * One edge on one state directory. Two edges would write the same log and give numbers twice.
 *
 * The lock is SQLite's, which is a lock of the kernel on the file: it is gone the moment its process is, however that
 * ends. A file with a process id in it would outlive a `kill -9` and lock out its own successor.
 */
export function lockEdge(stateDir: string): EdgeLock {
  const files = edgeFiles(stateDir);
  const database = new DatabaseSync(files.lock, { timeout: 0 });
  try {
    database.exec("PRAGMA journal_mode = MEMORY; PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE");
  } catch (error) {
    database.close();
    if (!/locked/i.test(String(error))) throw error;
    throw new Error(
      `Another edge runs on ${stateDir}${described(files.running)}. Stop that edge, or set GANGLION_STATE_DIR to another directory.`,
    );
  }
  // The file is from an edge that is gone, since we hold the lock.
  rmSync(files.running, { force: true });
  return {
    announce: (url) => writeFileSync(files.running, `${JSON.stringify({ url, pid: process.pid })}\n`, { mode: 0o600 }),
    release: () => {
      rmSync(files.running, { force: true });
      if (database.isOpen) database.close();
    },
  };
}

function described(runningFile: string): string {
  try {
    const { url, pid } = JSON.parse(readFileSync(runningFile, "utf8")) as { url: string; pid: number };
    return ` (process ${pid}, ${url})`;
  } catch {
    // The other edge is still starting, or already stopping: leave its address out of the message.
    return "";
  }
}
