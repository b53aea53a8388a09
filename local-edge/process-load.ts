import { readdirSync, readFileSync } from "node:fs";

/** What a process has had so far, in milliseconds; only differences mean something. */
export interface ProcessLoad {
  /** Time on a processor. */
  readonly cpuMs: number;
  /** Time in which it could have run and had to wait for a processor. */
  readonly waitedMs: number;
}

/**
 * Reads the load of all threads of a process; `undefined` where the system does not tell, or the process is gone.
 *
 * @see https://www.kernel.org/doc/html/latest/scheduler/sched-stats.html#proc-pid-schedstat
 */
export function readLoad(pid: number): ProcessLoad | undefined {
  try {
    let cpu = 0;
    let waited = 0;
    for (const thread of readdirSync(`/proc/${pid}/task`)) {
      const [ran = 0, queued = 0] = readFileSync(`/proc/${pid}/task/${thread}/schedstat`, "utf8")
        .split(" ")
        .map(Number);
      cpu += ran;
      waited += queued;
    }
    return { cpuMs: cpu / 1e6, waitedMs: waited / 1e6 };
  } catch {
    // No Linux, or the process has ended meanwhile: what is not known decides nothing.
    return undefined;
  }
}
