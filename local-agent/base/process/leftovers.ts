import { readdirSync, readFileSync } from "node:fs";
import { setTimeout as pause } from "node:timers/promises";
import { isRunning, type ProcessIdentity, processStat, signalGroup } from "./process-group.ts";

/** Variable by which processes that an agent started are found again after the agent was killed. */
export const RUN_VARIABLE = "GANGLION_RUN";

const GRACE_MS = 2_000;
const LOOK_MS = 10;

/** What a run of an agent that was killed may have left behind. */
export interface EarlierRun {
  /** Value of {@link RUN_VARIABLE} that it was started with: unique for each run of a command. */
  readonly run: string;
  /** Leader of its group. `undefined` when the agent was killed before it could note it. */
  readonly leader: ProcessIdentity | undefined;
}

/**
 * Ends what is left of earlier runs: SIGTERM, and SIGKILL after two seconds. A process is taken for theirs only when
 * it carries their mark, or is the very leader that was noted; a number that was given to somebody else is not enough.
 *
 * Looks every 10 ms whether they are gone, because nobody tells of the end of a process that is not one's child; this
 * is for the start after a crash only.
 *
 * @returns how many process groups were ended
 */
export async function endLeftovers(runs: readonly EarlierRun[]): Promise<number> {
  if (runs.length === 0) return 0;
  const groups = leftGroups(runs);
  for (const group of groups) signalGroup(group, "SIGTERM");
  const deadline = performance.now() + GRACE_MS;
  for (let left = groups; left.size > 0; left = leftGroups(runs)) {
    if (performance.now() > deadline) for (const group of left) signalGroup(group, "SIGKILL");
    await pause(LOOK_MS);
  }
  return groups.size;
}

function leftGroups(runs: readonly EarlierRun[]): Set<number> {
  const groups = new Set<number>();
  const byRun = new Map(runs.map((one) => [one.run, one]));
  // An agent that a command of another agent started carries a mark itself.
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
    // Who left the group did so to outlive the command.
    if (earlier.leader === undefined || stat.group === earlier.leader.pid) groups.add(stat.group);
  }
  return groups;
}

/** @returns what the process carries as {@link RUN_VARIABLE} */
export function markOf(pid: number): string | undefined {
  try {
    const entry = readFileSync(`/proc/${pid}/environ`, "latin1")
      .split("\0")
      .find((one) => one.startsWith(`${RUN_VARIABLE}=`));
    return entry?.slice(RUN_VARIABLE.length + 1);
  } catch {
    // Gone, or somebody else's: then it is none of ours.
    return undefined;
  }
}
