import { hostname } from "node:os";
import type { Command } from "commander";
import type { LockOptions } from "../../../src/client/locks/acquire-waiting.ts";
import { LOCK_LIMITS } from "../../../src/core/locks/limits.ts";
import { lockNameProblem } from "../../../src/core/locks/lock-name.ts";
import { milliseconds } from "../../arguments.ts";
import { UsageError } from "../../failure.ts";

export interface AcquireOptions {
  readonly owner?: string;
  readonly ttl?: number;
  readonly wait?: number;
  readonly shared?: true;
  readonly task?: string;
}

const TTL_MS = 30_000;
const YEAR_MS = 365 * 86_400_000;

export const ttlOption = [
  "--ttl <time>",
  "the lock ends so long after it was renewed last (default: 30s)",
  milliseconds(1, LOCK_LIMITS.ttlMs),
] as const;

/** Adds the options of commands that acquire locks. */
export const acquireOptions = (command: Command) =>
  command
    .option("--owner <owner>", "who holds the lock (default: <host>/<number of this process>)")
    .option(...ttlOption)
    .option("--wait <time>", "how long to wait for the lock", milliseconds(0, YEAR_MS))
    .option("--shared", "beside others that share the lock, instead of alone")
    .option("--task <task>", "what it is held for, such as the id of a task");

/** @throws UsageError where the name cannot be that of a lock */
export function lockOptions(name: string, options: AcquireOptions): LockOptions {
  const problem = lockNameProblem(name);
  if (problem !== undefined) throw new UsageError(`${JSON.stringify(name)} is no name of a lock: ${problem}`);
  const { owner = ownOwner(), ttl = TTL_MS, wait, shared, task } = options;
  return {
    owner,
    ttlMs: ttl,
    mode: shared === true ? "shared" : "exclusive",
    ...(wait === undefined ? {} : { waitMs: wait }),
    ...((task ?? process.env.GANGLION_TASK_ID) === undefined ? {} : { task: task ?? process.env.GANGLION_TASK_ID }),
  };
}

/** This process is one line of work. The number of a process alone is another one's on another host. */
function ownOwner(): string {
  const host = process.env.GANGLION_HOST_ID ?? hostname();
  const unfit = /[^A-Za-z0-9._:@~+-]/g;
  return `${host.replace(unfit, "-").replace(/^[^A-Za-z0-9]+/, "") || "host"}/${process.pid}`;
}
