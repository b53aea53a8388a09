import { readdirSync, readFileSync } from "node:fs";

/** The processes that a process has started, and those that these have started. */
export function descendants(pid: number): number[] {
  const children = new Map<number, number[]>();
  for (const name of readdirSync("/proc")) {
    if (!/^\d+$/.test(name)) continue;
    const parent = Number(statusField(Number(name), "PPid"));
    children.set(parent, [...(children.get(parent) ?? []), Number(name)]);
  }
  const found: number[] = [];
  for (let next: number[] = [pid]; next.length > 0; ) {
    next = next.flatMap((parent) => children.get(parent) ?? []);
    found.push(...next);
  }
  return found;
}

/** The most resident memory that the runtime of an edge had, in MB. */
export function peakMegabytes(pid: number): number {
  return Math.max(0, ...descendants(pid).map((child) => megabytes(child, "VmHWM")));
}

/** Resident memory of a process, in MB. */
export const residentMegabytes = (pid: number): number => megabytes(pid, "VmRSS");

/** Memory of a process in MB, of what it shares with others its part alone. */
export function proportionalMegabytes(pid: number): number {
  const rollup = readFileSync(`/proc/${pid}/smaps_rollup`, "utf8");
  return Number(/^Pss:\s+(\d+) kB$/m.exec(rollup)?.[1]) / 1_024;
}

/** What the kernel counts processor time in. */
const TICKS_PER_SECOND = 100;

/** Processor time that a process has used, in seconds. @see proc_pid_stat(5): `utime` and `stime` are the 12th and 13th field after the name */
export function cpuSeconds(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND;
}

const megabytes = (pid: number, field: string) => Number(statusField(pid, field)?.split(" ")[0] ?? 0) / 1_024;

/** @returns `undefined` where the process has ended */
function statusField(pid: number, field: string): string | undefined {
  try {
    return new RegExp(`^${field}:\\s+(.*)$`, "m").exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1];
  } catch {
    return undefined;
  }
}
