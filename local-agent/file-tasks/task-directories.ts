import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { directoryInside, isBelow } from "../base/files/path-inside.ts";

/** Where the directories of all file workers lie. */
export interface TaskPlace {
  readonly root: string;
  /** Directories that do not lie below the root under their usual names, as absolute paths. */
  readonly directories?: Readonly<
    Partial<Record<"tasks" | "results" | "triggers" | "heartbeats" | "dlq", string | undefined>>
  >;
}

/** The directories of one file worker. */
export interface TaskDirectories {
  /** All others are below it, or below one of `elsewhere`. */
  readonly root: string;
  readonly elsewhere: readonly string[];
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

export function taskDirectories({ root, directories = {} }: TaskPlace, worker: string): TaskDirectories {
  const at = (name: keyof NonNullable<TaskPlace["directories"]>) => directories[name] ?? join(root, name);
  return {
    root,
    elsewhere: Object.values(directories).filter((path) => path !== undefined),
    tasks: join(at("tasks"), worker),
    claimed: join(at("tasks"), worker, ".claimed"),
    results: join(at("results"), worker),
    receipts: join(at("triggers"), worker),
    notices: join(at("triggers"), "orchestrator"),
    heartbeat: join(at("heartbeats"), `${worker}.json`),
    hostHeartbeats: join(at("heartbeats"), worker),
    deadLetters: join(at("dlq"), worker),
  };
}

/** The configured directory that holds `path`: nothing is written through a link that leads out of it. */
export function baseOf({ root, elsewhere }: Pick<TaskDirectories, "root" | "elsewhere">, path: string): string {
  return elsewhere.find((base) => isBelow(base, path)) ?? root;
}

/** Where a file is written before it is renamed to `path`: `undefined` where that may be another file system. */
export function viaOf(tree: TaskDirectories, path: string): { via?: string } {
  return baseOf(tree, path) === baseOf(tree, tree.claimed) ? { via: tree.claimed } : {};
}

export async function makeTaskDirectories(place: TaskPlace, worker: string): Promise<TaskDirectories> {
  const tree = taskDirectories(place, worker);
  const { tasks, claimed, results, receipts, notices, hostHeartbeats, deadLetters } = tree;
  // Commands run there, also where none of these directories lies below it.
  await mkdir(tree.root, { recursive: true });
  for (const directory of [tasks, claimed, results, receipts, notices, hostHeartbeats, deadLetters])
    await mkdirInside(baseOf(tree, directory), directory);
  return tree;
}

/** @throws OutsidePath when the directory is a link that leads out of the root: nothing is read or written through it */
async function mkdirInside(root: string, directory: string): Promise<void> {
  await mkdir(directory, { recursive: true });
  await directoryInside(root, directory);
}
