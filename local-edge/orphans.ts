import { execFileSync } from "node:child_process";
import { existsSync, readFileSync, readlinkSync, rmSync } from "node:fs";
import { setTimeout as pause } from "node:timers/promises";

/** How long a killed process may take to be gone, in milliseconds: it may sit in a write to a slow disk. */
const GONE_WITHIN_MS = 5_000;

/**
 * Kills the runtime that an edge on this state directory left behind when it was killed itself. Call it only while
 * holding the edge's lock: then no living edge owns what the file names.
 *
 * @param pidFile - written by workerd-wrapper.sh
 * @param workerd - the runtime's binary
 * @returns the process id of the orphan that was killed, or `undefined`
 */
export async function killOrphan(pidFile: string, workerd: string): Promise<number | undefined> {
  const pid = recordedPid(pidFile);
  if (pid === undefined || !isOurs(pid, pidFile, workerd)) {
    rmSync(pidFile, { force: true });
    return undefined;
  }
  process.kill(pid, "SIGKILL");
  const deadline = performance.now() + GONE_WITHIN_MS;
  while (isOurs(pid, pidFile, workerd)) {
    if (performance.now() > deadline) {
      throw new Error(`The runtime of an earlier edge (process ${pid}) does not end. Kill it, then start again.`);
    }
    // Nothing announces the end of a process that is not our child.
    await pause(10);
  }
  rmSync(pidFile, { force: true });
  return pid;
}

function recordedPid(pidFile: string): number | undefined {
  try {
    const pid = Number(readFileSync(pidFile, "utf8").trim());
    return Number.isSafeInteger(pid) && pid > 1 ? pid : undefined;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}

/**
 * Process ids are used again, perhaps by another project's runtime: it is ours only if it runs this binary and was
 * given this file.
 */
function isOurs(pid: number, pidFile: string, workerd: string): boolean {
  try {
    if (existsSync("/proc/self/exe")) {
      // A binary that was replaced by an update since is shown as "<path> (deleted)".
      if (!readlinkSync(`/proc/${pid}/exe`).startsWith(workerd)) return false;
      const environment = readFileSync(`/proc/${pid}/environ`, "utf8").split("\0");
      return environment.includes(`GANGLION_WORKERD_PID_FILE=${pidFile}`);
    }
    const command = execFileSync("ps", ["-E", "-ww", "-o", "command=", "-p", String(pid)], { encoding: "utf8" });
    return command.includes(workerd) && command.includes(`GANGLION_WORKERD_PID_FILE=${pidFile}`);
  } catch {
    // No such process, or one of another user: neither is ours.
    return false;
  }
}
