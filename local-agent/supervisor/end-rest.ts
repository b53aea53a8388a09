import { setTimeout as pause } from "node:timers/promises";
import { endLeftovers } from "../base/process/leftovers.ts";
import { groupRuns, signalGroup } from "../base/process/process-group.ts";

export interface EndRestOptions {
  /** The process that has ended, and that led the group. */
  readonly pid: number;
  /** Mark in the environment of the process and of all that it started. */
  readonly run: string;
  /**
   * Whether the processes of the group still have time to end by themselves. While this is true, somebody else sends
   * SIGKILL to the group when the time is over.
   */
  readonly mayWait: () => boolean;
}

const LOOK_MS = 50;
/** Processes that got SIGKILL need a moment. One that the kernel cannot end is left behind. */
const KILLED_MS = 2_000;

/**
 * Ends what a supervised process has left: first the rest of its group, then processes that have left the group, such as
 * daemons. None of them may run on beside a successor.
 *
 * @returns how many groups of escaped processes were found by their mark and ended
 */
export async function endRest({ pid, run, mayWait }: EndRestOptions): Promise<number> {
  if (mayWait() && signalGroup(pid, "SIGTERM")) while (mayWait() && groupRuns(pid)) await pause(LOOK_MS);
  if (signalGroup(pid, "SIGKILL")) {
    const deadline = performance.now() + KILLED_MS;
    while (performance.now() < deadline && groupRuns(pid)) await pause(LOOK_MS);
  }
  return endLeftovers([{ run, leader: undefined }]);
}
