/** Time of all processors together since boot, in clock ticks. */
export interface CpuTimes {
  readonly busy: number;
  readonly total: number;
}

/**
 * Reads the first line of /proc/stat. User time includes guest time; I/O wait counts as idle.
 *
 * @see proc_stat(5)
 */
export function readCpuTimes(procStat: string): CpuTimes | undefined {
  const line = /^cpu +([\d ]+)/.exec(procStat);
  if (line?.[1] === undefined) return undefined;
  const [user = 0, nice = 0, system = 0, idle = 0, ioWait = 0, irq = 0, softIrq = 0, steal = 0] = line[1]
    .split(" ")
    .map(Number);
  const busy = user + nice + system + irq + softIrq + steal;
  return { busy, total: busy + idle + ioWait };
}

/** @returns 0 to 100; `undefined` when no time has passed: a tick is 10 ms, and idle time may decrease a little */
export function cpuPercent(before: CpuTimes, after: CpuTimes): number | undefined {
  const total = after.total - before.total;
  if (total <= 0) return undefined;
  return percent(after.busy - before.busy, total);
}

/** @returns 0 to 100: memory that is neither free nor can be freed at once */
export function ramPercent(meminfo: string): number | undefined {
  const total = kilobytes(meminfo, "MemTotal");
  const available = kilobytes(meminfo, "MemAvailable");
  return total === undefined || available === undefined || total === 0 ? undefined : percent(total - available, total);
}

function kilobytes(meminfo: string, name: string): number | undefined {
  const match = new RegExp(`^${name}: +(\\d+) kB`, "m").exec(meminfo);
  return match?.[1] === undefined ? undefined : Number(match[1]);
}

function percent(part: number, whole: number): number {
  return Math.round(Math.min(Math.max(part / whole, 0), 1) * 1000) / 10;
}
