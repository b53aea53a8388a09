import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { directoryInside } from "../base/files/path-inside.ts";

/** The directories of one file worker. */
export interface TaskDirectories {
  /** All others are below it. */
  readonly root: string;
  /** Programs drop `<task id>.json` here: written under a name that starts with a dot, then renamed. */
  readonly tasks: string;
  /** Claimed files; the name of each contains its owner. */
  readonly claimed: string;
  readonly results: string;
  /** A receipt for each claimed task. */
  readonly receipts: string;
  /** A notice for each task that has ended. */
  readonly notices: string;
  /** Heartbeat of the worker on all hosts. */
  readonly heartbeat: string;
  /** A heartbeat file for each host that shares the directories. */
  readonly hostHeartbeats: string;
  readonly deadLetters: string;
}

export function taskDirectories(root: string, worker: string): TaskDirectories {
  return {
    root,
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

export async function makeTaskDirectories(root: string, worker: string): Promise<TaskDirectories> {
  const tree = taskDirectories(root, worker);
  const { tasks, claimed, results, receipts, notices, hostHeartbeats, deadLetters } = tree;
  for (const directory of [tasks, claimed, results, receipts, notices, hostHeartbeats, deadLetters])
    await mkdirInside(root, directory);
  return tree;
}

/** @throws OutsidePath when the directory is a link that leads out of the root: nothing is read or written through it */
async function mkdirInside(root: string, directory: string): Promise<void> {
  await mkdir(directory, { recursive: true });
  await directoryInside(root, directory);
}
