import { mkdir } from "node:fs/promises";
import { join } from "node:path";

/** The directories of one worker below the drop tree (R48, R50, R51). */
export interface DropTree {
  /** Programs drop `<task id>.json` here, whole: written under a name that starts with a dot, then renamed. */
  readonly tasks: string;
  /** What has been taken from there, and by whom. */
  readonly claimed: string;
  readonly results: string;
  /** A receipt for each task that was taken. */
  readonly receipts: string;
  /** A notice for each task that is over. */
  readonly notices: string;
  /** Of the worker, on whichever hosts it runs. */
  readonly heartbeat: string;
  /** A file for each host that shares the tree. */
  readonly hostHeartbeats: string;
  readonly deadLetters: string;
}

export function dropTree(root: string, worker: string): DropTree {
  return {
    tasks: join(root, "tasks", worker),
    claimed: join(root, "tasks", worker, ".claimed"),
    results: join(root, "results", worker),
    receipts: join(root, "triggers", worker),
    notices: join(root, "triggers", "orchestrator"),
    heartbeat: join(root, "heartbeats", `${worker}.json`),
    hostHeartbeats: join(root, "heartbeats", worker),
    deadLetters: join(root, "dlq", worker),
  };
}

export async function makeDropTree(root: string, worker: string): Promise<DropTree> {
  const tree = dropTree(root, worker);
  const { tasks, claimed, results, receipts, notices, hostHeartbeats, deadLetters } = tree;
  for (const directory of [tasks, claimed, results, receipts, notices, hostHeartbeats, deadLetters])
    await mkdir(directory, { recursive: true });
  return tree;
}
