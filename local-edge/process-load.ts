import { readdirSync, readFileSync } from "node:fs";

/** What one thread has had so far, in milliseconds; only differences mean something. */
export interface ThreadLoad {
  /** Time on a processor. */
  readonly cpuMs: number;
  /** Time in which it could have run and had to wait for a processor. */
  readonly waitedMs: number;
  /** Whether it waits for a disk at this moment, or for something else in the kernel that no signal cuts short. */
  readonly onDisk: boolean;
}

/** The threads of a process by their numbers. */
export type Threads = ReadonlyMap<string, ThreadLoad>;

/**
 * Reads the load of all threads of a process; `undefined` where the system does not tell, or the process is gone.
 *
 * @see https://www.kernel.org/doc/html/latest/scheduler/sched-stats.html#proc-pid-schedstat
 */
export function readThreads(pid: number): Threads | undefined {
  const directory = `/proc/${pid}/task`;
  try {
    const threads = readdirSync(directory).flatMap((thread) => {
      const load = readThread(`${directory}/${thread}`);
      return load === undefined ? [] : [[thread, load] as const];
    });
    return threads.length === 0 ? undefined : new Map(threads);
  } catch {
    // No Linux, or the process has ended: what is not known decides nothing.
    return undefined;
  }
}

/** `undefined`: the thread has ended since it was listed, or the kernel counts nothing. */
function readThread(directory: string): ThreadLoad | undefined {
  try {
    const [ran = 0, queued = 0] = readFileSync(`${directory}/schedstat`, "utf8").split(" ").map(Number);
    return { cpuMs: ran / 1e6, waitedMs: queued / 1e6, onDisk: stateOf(directory) === "D" };
  } catch {
    return undefined;
  }
}

/**
 * Letter of the state of a process or thread: `R` runs, `S` sleeps, `D` waits for a disk, `T` is stopped.
 *
 * @param directory - of the process or thread below /proc
 * @throws where there is none
 * @see https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html
 */
export function stateOf(directory: string): string {
  // "pid (name) state …"; a name may hold parentheses.
  const stat = readFileSync(`${directory}/stat`, "utf8");
  return stat.charAt(stat.lastIndexOf(")") + 2);
}
