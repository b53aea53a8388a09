import { spawn } from "node:child_process";
import { readdirSync } from "node:fs";
import { setTimeout as pause } from "node:timers/promises";
import { readThreads, stateOf } from "../process-load.ts";

/** How long a process may take to stop, in milliseconds: a thread of it may be waiting for a slow disk. */
const STOPS_WITHIN_MS = 2_000;
/** Longest time that a process is stopped for, in seconds, should this process be killed meanwhile. */
const GUARD_SECONDS = 5;

/** The process ended, or somebody else let it go on: what was read of it is of no moment. */
export class WentOn extends Error {}

/**
 * Runs `work` while the process and all its threads are stopped (SIGSTOP): nothing that it writes changes meanwhile. Should
 * this process be killed, the other goes on all the same, after a few seconds.
 *
 * @param work - synchronous, so that it lasts no longer than what it does
 * @param guardSeconds - after which the process goes on, whatever happened to this one
 * @throws WentOn where the process was not stopped all the time
 */
export async function whileStopped<Result>(
  pid: number,
  work: () => Result,
  guardSeconds = GUARD_SECONDS,
): Promise<Result> {
  const guard = spawn("/bin/sh", ["-c", `sleep ${guardSeconds}; kill -CONT ${pid}`], {
    detached: true,
    stdio: "ignore",
  });
  const guarded = new Promise<void>((resolve, reject) => guard.once("spawn", resolve).once("error", reject));
  try {
    await guarded;
    guard.unref();
    send(pid, "SIGSTOP");
    await stopped(pid);
    const before = ranMs(pid);
    const result = work();
    if (before === undefined || ranMs(pid) !== before || !isStopped(pid))
      throw new WentOn(`the process ${pid} did not stay stopped`);
    return result;
  } finally {
    ifThere(pid, "SIGCONT");
    // The guard and its sleep are a process group of their own.
    if (guard.pid !== undefined) ifThere(-guard.pid, "SIGKILL");
  }
}

function ifThere(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
  }
}

async function stopped(pid: number): Promise<void> {
  const deadline = performance.now() + STOPS_WITHIN_MS;
  while (!isStopped(pid)) {
    if (performance.now() > deadline)
      throw new WentOn(`the process ${pid} did not stop within ${STOPS_WITHIN_MS / 1_000} s`);
    await pause(1);
  }
}

function send(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ESRCH") throw new WentOn(`the process ${pid} has ended`);
    throw error;
  }
}

/** Time that all threads of a process have had on a processor, together. */
function ranMs(pid: number): number | undefined {
  const threads = readThreads(pid);
  return threads && [...threads.values()].reduce((sum, { cpuMs }) => sum + cpuMs, 0);
}

function isStopped(pid: number): boolean {
  const threads = `/proc/${pid}/task`;
  try {
    return readdirSync(threads).every((thread) => stateOf(`${threads}/${thread}`) === "T");
  } catch {
    return false;
  }
}
