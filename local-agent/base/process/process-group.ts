import { readdirSync, readFileSync } from "node:fs";

/**
 * Identifies a process for good: process ids are reused, but not with the same start time since the same boot.
 */
export interface ProcessIdentity {
  readonly pid: number;
  /** Start of the process in clock ticks since `boot`, from /proc/<pid>/stat. */
  readonly start: number;
  /** Identity of the machine's boot, from /proc/sys/kernel/random/boot_id. */
  readonly boot: string;
}

export interface ProcessStat {
  /** `R`, `S`, `D`, `Z`, …, see proc_pid_stat(5). */
  readonly state: string;
  readonly parent: number;
  readonly group: number;
  readonly start: number;
}

/** @returns `undefined` when there is no such process */
export function processStat(pid: number): ProcessStat | undefined {
  let text: string;
  try {
    text = readFileSync(`/proc/${pid}/stat`, "utf8");
  } catch {
    return undefined;
  }
  // "pid (name) state …": the name may contain any character, also a bracket.
  const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
  return { state: fields[0] ?? "?", parent: Number(fields[1]), group: Number(fields[2]), start: Number(fields[19]) };
}

let boot: string | undefined;

export function bootId(): string {
  boot ??= readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim();
  return boot;
}

/** @returns `undefined` when the process has ended already */
export function identify(pid: number): ProcessIdentity | undefined {
  const stat = processStat(pid);
  return stat && { pid, start: stat.start, boot: bootId() };
}

/** Whether this process still runs. A zombie does not. */
export function isRunning({ pid, start, boot: at }: ProcessIdentity): boolean {
  if (at !== bootId()) return false;
  const stat = processStat(pid);
  return stat?.start === start && !/[ZX]/.test(stat.state);
}

/** Whether a process of the group that `pid` leads, or led, still runs. Zombies do not. Walks over all processes. */
export function groupRuns(pid: number): boolean {
  return readdirSync("/proc").some((name) => {
    const member = Number(name);
    const stat = Number.isInteger(member) ? processStat(member) : undefined;
    return stat?.group === pid && !/[ZX]/.test(stat.state);
  });
}

/** Sends `signal` to one process. */
export function signalProcess(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    // It has ended, or runs as another user.
    const { code } = error as NodeJS.ErrnoException;
    if (code !== "ESRCH" && code !== "EPERM") throw error;
  }
}

/**
 * Sends `signal` to the process group that `pid` leads: to all its descendants that did not leave the group.
 * @returns whether the group had a process
 */
export function signalGroup(pid: number, signal: NodeJS.Signals): boolean {
  try {
    process.kill(-pid, signal);
    return true;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    // EPERM: the remaining processes run as another user, for example by sudo.
    if (code === "ESRCH" || code === "EPERM") return false;
    throw error;
  }
}
