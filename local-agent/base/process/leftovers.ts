import { readdirSync, readFileSync } from "node:fs";
import { setTimeout as pause } from "node:timers/promises";
import { isRunning, type ProcessIdentity, processStat, signalGroup } from "./process-group.ts";

/** Variable that marks the processes of an agent, so that they can be found after the agent was killed. */
export const RUN_VARIABLE = "GANGLION_RUN";

const GRACE_MS = 2_000;
const LOOK_MS = 10;
/** A process that the kernel cannot end, because a device does not answer, must not keep anybody waiting for ever. */
const GIVE_UP_MS = 10_000;

/** A run of a command whose processes may have outlived a killed agent. */
export interface EarlierRun {
  /** Value of {@link RUN_VARIABLE} in its environment, unique for each run. */
  readonly run: string;
  /** Leader of its process group; `undefined` when the agent was killed before it recorded the leader. */
  readonly leader: ProcessIdentity | undefined;
  /** Whether also those processes belong to the run that have left its group, as daemons do; default: they do not. */
  readonly escaped?: boolean;
}

/**
 * Ends the processes of earlier runs: SIGTERM, and SIGKILL after two seconds. A process belongs to a run when it carries
 * the run's mark or is the recorded leader itself. The process id alone is not enough, because ids are reused.
 *
 * Checks every 10 ms, because the kernel does not report the end of processes that are no children. This runs only at a
 * start after a crash, and when a supervised agent has ended.
 *
 * @returns the number of process groups that were ended
 */
export async function endLeftovers(runs: readonly EarlierRun[]): Promise<number> {
  if (runs.length === 0) return 0;
  const groups = leftGroups(runs);
  for (const group of groups) signalGroup(group, "SIGTERM");
  const deadline = performance.now() + GRACE_MS;
  for (let left = groups; left.size > 0; left = leftGroups(runs)) {
    if (performance.now() > deadline + GIVE_UP_MS) break;
    if (performance.now() > deadline) for (const group of left) signalGroup(group, "SIGKILL");
    await pause(LOOK_MS);
  }
  return groups.size;
}

function leftGroups(runs: readonly EarlierRun[]): Set<number> {
  const groups = new Set<number>();
  const byRun = new Map(runs.map((one) => [one.run, one]));
  // This agent carries a mark itself when a command of another agent started it.
  const own = processStat(process.pid)?.group;
  for (const { leader } of runs) if (leader !== undefined && isRunning(leader)) groups.add(leader.pid);
  for (const name of readdirSync("/proc")) {
    const pid = Number(name);
    if (!Number.isInteger(pid)) continue;
    const run = markOf(pid);
    const earlier = run === undefined ? undefined : byRun.get(run);
    if (earlier === undefined) continue;
    const stat = processStat(pid);
    if (stat === undefined || stat.group === own || /[ZX]/.test(stat.state)) continue;
    // A process that left the group of a command did so to outlive the command.
    if (earlier.leader === undefined || earlier.escaped === true || stat.group === earlier.leader.pid)
      groups.add(stat.group);
  }
  return groups;
}

/** @returns the value of {@link RUN_VARIABLE} in the environment of the process */
export function markOf(pid: number): string | undefined {
  try {
    const entry = readFileSync(`/proc/${pid}/environ`, "latin1")
      .split("\0")
      .find((one) => one.startsWith(`${RUN_VARIABLE}=`));
    return entry?.slice(RUN_VARIABLE.length + 1);
  } catch {
    // The process is gone, or belongs to another user: either way it is not ours.
    return undefined;
  }
}
