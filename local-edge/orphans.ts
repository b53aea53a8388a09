import { execFileSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync, readlinkSync, rmSync } from "node:fs";
import { setTimeout as pause } from "node:timers/promises";

/** How long a killed process may take to end, in milliseconds: it may wait for a write to a slow disk. */
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
  if (pid === undefined) return undefined;
  let killed = false;
  const deadline = performance.now() + GONE_WITHIN_MS;
  for (let found = inspect(pid, pidFile, workerd); found === "ours" || found === "ending"; ) {
    if (found === "ours" && !killed) {
      process.kill(pid, "SIGKILL");
      killed = true;
    }
    if (performance.now() > deadline) {
      throw new Error(
        `The runtime of an earlier edge (process ${pid}) does not end. Kill that process, then start again.`,
      );
    }
    // Nothing announces the end of a process that is not our child.
    await pause(10);
    found = inspect(pid, pidFile, workerd);
  }
  rmSync(pidFile, { force: true });
  return killed ? pid : undefined;
}

/**
 * The process id of the runtime that this edge has started, or `undefined` while there is none.
 *
 * @param pidFile - written by workerd-wrapper.sh
 * @param workerd - the runtime's binary
 */
export function runningRuntime(pidFile: string, workerd: string): number | undefined {
  const pid = recordedPid(pidFile);
  return pid !== undefined && inspect(pid, pidFile, workerd) === "ours" ? pid : undefined;
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
 * `ending`: killed a moment ago, by us or by the kernel. Its memory is gone, and with it every sign of what it was,
 * but it may still hold the port.
 */
type Found = "ours" | "ending" | "gone" | "foreign";

/**
 * Process ids are used again, perhaps by another project's runtime: it is ours only if it runs this binary and was
 * given this file.
 */
function inspect(pid: number, pidFile: string, workerd: string): Found {
  return existsSync("/proc/self/exe") ? inspectProc(pid, pidFile, workerd) : inspectPs(pid, pidFile, workerd);
}

function inspectProc(pid: number, pidFile: string, workerd: string): Found {
  try {
    // "pid (name) state …". A zombie holds nothing any more, it waits for its parent to take note; but its first thread
    // is one before the others have ended, which still hold the port.
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    if (/^[ZX]/.test(stat.slice(stat.lastIndexOf(")") + 2)))
      return readdirSync(`/proc/${pid}/task`).length > 1 ? "ending" : "gone";
  } catch {
    return "gone";
  }
  try {
    // A binary that was replaced by an update since is shown as "<path> (deleted)".
    if (!readlinkSync(`/proc/${pid}/exe`).startsWith(workerd)) return "foreign";
    const environment = readFileSync(`/proc/${pid}/environ`, "utf8").split("\0");
    if (environment.includes(`GANGLION_WORKERD_PID_FILE=${pidFile}`)) return "ours";
    return environment.join("") === "" ? "ending" : "foreign";
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    return code === "ENOENT" || code === "ESRCH" ? "ending" : "foreign";
  }
}

function inspectPs(pid: number, pidFile: string, workerd: string): Found {
  try {
    const command = execFileSync("ps", ["-E", "-ww", "-o", "command=", "-p", String(pid)], { encoding: "utf8" });
    const ours = command.includes(workerd) && command.includes(`GANGLION_WORKERD_PID_FILE=${pidFile}`);
    return ours ? "ours" : "foreign";
  } catch {
    return "gone";
  }
}
