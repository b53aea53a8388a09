import { existsSync, mkdirSync, readFileSync, rmdirSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import type { Reading } from "../../src/core/supervisor/process-judgement.ts";
import type { ProcessRules } from "../../src/core/supervisor/process-rules.ts";
import type { Logger } from "../base/log.ts";
import { markOf } from "../base/process/leftovers.ts";
import { processStat } from "../base/process/process-group.ts";

/** Which limits of an agent the kernel enforces. */
export type EnforcedLimits = Readonly<Record<"memory" | "cpu", boolean>>;

export const NO_ENFORCED_LIMITS: EnforcedLimits = { memory: false, cpu: false };

export interface CgroupsOptions {
  readonly log: Logger;
  /** Default `/sys/fs/cgroup`. */
  readonly root?: string;
  /** Default `/proc/self/cgroup`. */
  readonly self?: string;
}

/** Group of this process itself: a group whose children have controllers must not contain processes. */
const OWN = "ganglion-agent";
const WANTED = ["memory", "cpu", "pids"];
/** Period of `cpu.max`, in microseconds. */
const PERIOD_US = 100_000;

/**
 * A control group for each supervised agent, if systemd has delegated the service's group (`Delegate=yes`): the kernel
 * then enforces limits at once, and ends with an agent the processes that have left its process group. Without cgroups
 * (no version 2, no permission to write, not a service) use is only measured.
 *
 * @see https://docs.kernel.org/admin-guide/cgroup-v2.html
 */
export class Cgroups {
  readonly #base: string;
  readonly #log: Logger;
  /** By agent, the group's counter of kills when its process began: a group may be used again. */
  readonly #killsBefore = new Map<string, number>();

  private constructor(base: string, log: Logger) {
    this.#base = base;
    this.#log = log;
  }

  /** @returns `undefined` if no control group is delegated to this service */
  static open({ log, root = "/sys/fs/cgroup", self = "/proc/self/cgroup" }: CgroupsOptions): Cgroups | undefined {
    try {
      const path = /^0::(\/.*)$/m.exec(readFileSync(self, "utf8"))?.[1];
      // A group that is not a service's may be a person's session, or the whole machine.
      if (path === undefined || !basename(path).endsWith(".service")) return undefined;
      const base = join(root, path);
      if (!existsSync(join(base, "cgroup.controllers"))) return undefined;
      const members = pidsIn(base);
      // The agent was started by hand inside another service.
      if (!members.every(isOurs)) return undefined;
      mkdirSync(join(base, OWN), { recursive: true });
      // The kernel takes one process at a time. This process comes first, because it could start others.
      for (const pid of [process.pid, ...members.filter((pid) => pid !== process.pid)])
        writeFileSync(join(base, OWN, "cgroup.procs"), String(pid));
      const given = readFileSync(join(base, "cgroup.controllers"), "utf8").trim().split(" ");
      const wanted = WANTED.filter((name) => given.includes(name)).map((name) => `+${name}`);
      if (wanted.length > 0) writeFileSync(join(base, "cgroup.subtree_control"), wanted.join(" "));
      log.info({ controllers: wanted }, "agents: each is put into a control group of its own");
      return new Cgroups(base, log);
    } catch (error) {
      log.debug({ err: error }, "agents: control groups are not available; use is measured");
      return undefined;
    }
  }

  /**
   * Moves a process that was just started, and the processes that it has started meanwhile, into the group of its name.
   *
   * @param run - the mark in the environment of the process and its children
   */
  admit(name: string, pid: number, run: string, { memoryBytes, cpuPercent }: ProcessRules): EnforcedLimits {
    const group = this.#group(name);
    try {
      mkdirSync(group, { recursive: true });
      this.#killsBefore.set(name, outOfMemoryKills(group));
      const memory = this.#limit(group, "memory.max", memoryBytes === null ? "max" : String(memoryBytes));
      // An agent that swaps is slow without an error; an agent that is restarted works again.
      this.#limit(group, "memory.swap.max", memoryBytes === null ? "max" : "0");
      this.#limit(group, "memory.oom.group", "1");
      const quota = cpuPercent === null ? "max" : String(Math.round((cpuPercent / 100) * PERIOD_US));
      const cpu = this.#limit(group, "cpu.max", `${quota} ${PERIOD_US}`);
      writeFileSync(join(group, "cgroup.procs"), String(pid));
      this.#gather(group, run);
      return { memory, cpu };
    } catch (error) {
      // The process may have ended already. If it runs, it is measured as without cgroups.
      this.#log.warn({ err: error, agent: name }, "an agent could not be put into its control group");
      return NO_ENFORCED_LIMITS;
    }
  }

  /**
   * A new process is in its parent's group, and the agent may have started some before it was moved. Children of moved
   * processes are in the new group, so the search ends when it finds no process outside.
   */
  #gather(group: string, run: string): void {
    const moved = new Set<number>();
    const strays = () => pidsIn(join(this.#base, OWN)).filter((pid) => !moved.has(pid) && markOf(pid) === run);
    for (let found = strays(); found.length > 0; found = strays()) {
      for (const pid of found) {
        moved.add(pid);
        try {
          writeFileSync(join(group, "cgroup.procs"), String(pid));
        } catch (error) {
          if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error; // it has ended
        }
      }
    }
  }

  /**
   * Ends the processes that are left in the group.
   *
   * @returns whether the kernel had ended a process of the group because of its memory limit
   */
  dismiss(name: string): boolean {
    const group = this.#group(name);
    const outOfMemory = outOfMemoryKills(group) > (this.#killsBefore.get(name) ?? 0);
    try {
      writeFileSync(join(group, "cgroup.kill"), "1");
      rmdirSync(group);
    } catch {
      // Killed processes take a moment to end, and an older kernel has no `cgroup.kill`: the group is used again.
    }
    return outOfMemory;
  }

  /** A controller that was not delegated has no such file. */
  #limit(group: string, file: string, value: string): boolean {
    const path = join(group, file);
    if (!existsSync(path)) return false;
    writeFileSync(path, value);
    return true;
  }

  #group(name: string): string {
    return join(this.#base, `agent-${name}`);
  }
}

/**
 * Caps a reading at the limits that the kernel enforces. CPU time is measured in ticks, and shared memory is counted for
 * each process, so an agent that works at its limit would seem to exceed it now and then, and would be restarted.
 */
export function cappedByLimits(
  reading: Reading,
  { memoryBytes, cpuPercent }: ProcessRules,
  enforced: EnforcedLimits,
): Reading {
  return {
    ...reading,
    memoryBytes: enforced.memory ? Math.min(reading.memoryBytes, memoryBytes ?? Infinity) : reading.memoryBytes,
    cpuPercent: enforced.cpu ? Math.min(reading.cpuPercent, cpuPercent ?? Infinity) : reading.cpuPercent,
  };
}

/** Whether a process is this one or descends from it. */
function isOurs(pid: number): boolean {
  for (let at = pid; at > 1; at = processStat(at)?.parent ?? 0) if (at === process.pid) return true;
  // The process has ended since the list was read.
  return processStat(pid) === undefined;
}

function pidsIn(group: string): number[] {
  return readFileSync(join(group, "cgroup.procs"), "utf8").split("\n").filter(Boolean).map(Number);
}

function outOfMemoryKills(group: string): number {
  try {
    return Number(/^oom_kill (\d+)$/m.exec(readFileSync(join(group, "memory.events"), "utf8"))?.[1] ?? 0);
  } catch {
    return 0;
  }
}
