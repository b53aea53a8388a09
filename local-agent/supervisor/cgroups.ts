import { existsSync, mkdirSync, readFileSync, rmdirSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import type { Reading } from "../../src/core/supervisor/process-judgement.ts";
import type { ProcessRules } from "../../src/core/supervisor/process-rules.ts";
import type { Logger } from "../base/log.ts";
import { markOf } from "../base/process/leftovers.ts";
import { processStat } from "../base/process/process-group.ts";

/** Which limits of an agent the kernel keeps. */
export type Held = Readonly<Record<"memory" | "cpu", boolean>>;

export const NOTHING_HELD: Held = { memory: false, cpu: false };

export interface CgroupsOptions {
  readonly log: Logger;
  /** Default `/sys/fs/cgroup`. */
  readonly root?: string;
  /** Default `/proc/self/cgroup`. */
  readonly self?: string;
}

/** Where this process goes: a group whose children have controllers may have no processes of its own. */
const OWN = "ganglion-agent";
const WANTED = ["memory", "cpu", "pids"];
/** Of `cpu.max`, in microseconds. */
const PERIOD_US = 100_000;

/**
 * A control group for each supervised agent, where systemd has handed this service its own (`Delegate=yes`): the
 * kernel then holds agents to their limits at once, and ends with an agent what has left its process group.
 * Elsewhere (no version 2, no right to write, not a service) use is measured and nothing else.
 *
 * @see https://docs.kernel.org/admin-guide/cgroup-v2.html
 */
export class Cgroups {
  readonly #base: string;
  readonly #log: Logger;
  /** What the counters of the groups said when their processes began: a group may be used again. */
  readonly #killsBefore = new Map<string, number>();

  private constructor(base: string, log: Logger) {
    this.#base = base;
    this.#log = log;
  }

  /** @returns `undefined` where there is no group that is ours to divide */
  static open({ log, root = "/sys/fs/cgroup", self = "/proc/self/cgroup" }: CgroupsOptions): Cgroups | undefined {
    try {
      const path = /^0::(\/.*)$/m.exec(readFileSync(self, "utf8"))?.[1];
      // What is no service's own may be a person's session, or the whole machine.
      if (path === undefined || !basename(path).endsWith(".service")) return undefined;
      const base = join(root, path);
      if (!existsSync(join(base, "cgroup.controllers"))) return undefined;
      const members = pidsIn(base);
      // Somebody else's service, in which we were started by hand.
      if (!members.every(isOurs)) return undefined;
      mkdirSync(join(base, OWN), { recursive: true });
      // One at a time, as the kernel wants it; the first are those that could start others.
      for (const pid of [process.pid, ...members.filter((pid) => pid !== process.pid)])
        writeFileSync(join(base, OWN, "cgroup.procs"), String(pid));
      const given = readFileSync(join(base, "cgroup.controllers"), "utf8").trim().split(" ");
      const wanted = WANTED.filter((name) => given.includes(name)).map((name) => `+${name}`);
      if (wanted.length > 0) writeFileSync(join(base, "cgroup.subtree_control"), wanted.join(" "));
      log.info({ controllers: wanted }, "agents: each is put into a control group of its own");
      return new Cgroups(base, log);
    } catch (error) {
      log.debug({ err: error }, "agents: there are no control groups to be had; use is measured");
      return undefined;
    }
  }

  /**
   * Puts a process that was just started, and what it has started meanwhile, into the group of its name.
   *
   * @param run - the mark in the environment of what it starts
   */
  admit(name: string, pid: number, run: string, { memoryBytes, cpuPercent }: ProcessRules): Held {
    const group = this.#group(name);
    try {
      mkdirSync(group, { recursive: true });
      this.#killsBefore.set(name, outOfMemoryKills(group));
      const memory = this.#limit(group, "memory.max", memoryBytes === null ? "max" : String(memoryBytes));
      // An agent that is slow because it swaps would be worse off than one that is restarted.
      this.#limit(group, "memory.swap.max", memoryBytes === null ? "max" : "0");
      this.#limit(group, "memory.oom.group", "1");
      const quota = cpuPercent === null ? "max" : String(Math.round((cpuPercent / 100) * PERIOD_US));
      const cpu = this.#limit(group, "cpu.max", `${quota} ${PERIOD_US}`);
      writeFileSync(join(group, "cgroup.procs"), String(pid));
      this.#gather(group, run);
      return { memory, cpu };
    } catch (error) {
      // It may have ended already. Should it run, it is measured as everywhere else.
      this.#log.warn({ err: error, agent: name }, "an agent could not be put into its control group");
      return NOTHING_HELD;
    }
  }

  /**
   * A process is born where its parent is, and the agent may have started some before it was moved. Nobody who was moved
   * has children elsewhere any more, so the first look that finds none is the last.
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
   * Ends whatever is left in the group.
   *
   * @returns whether the kernel had ended something in it for want of memory
   */
  dismiss(name: string): boolean {
    const group = this.#group(name);
    const outOfMemory = outOfMemoryKills(group) > (this.#killsBefore.get(name) ?? 0);
    try {
      writeFileSync(join(group, "cgroup.kill"), "1");
      rmdirSync(group);
    } catch {
      // What was killed may take a moment to be gone, and an older kernel has no such file: the group is used again.
    }
    return outOfMemory;
  }

  /** A controller that was not given has no such file. */
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
 * A reading with nothing in it that the kernel rules out: processor time is measured in ticks, and memory that processes
 * share is counted for each, so that one that works at its limit would seem to exceed it now and then, and be restarted.
 */
export function withinHeld(reading: Reading, { memoryBytes, cpuPercent }: ProcessRules, held: Held): Reading {
  return {
    ...reading,
    memoryBytes: held.memory ? Math.min(reading.memoryBytes, memoryBytes ?? Infinity) : reading.memoryBytes,
    cpuPercent: held.cpu ? Math.min(reading.cpuPercent, cpuPercent ?? Infinity) : reading.cpuPercent,
  };
}

/** This process, and what it has started itself. */
function isOurs(pid: number): boolean {
  for (let at = pid; at > 1; at = processStat(at)?.parent ?? 0) if (at === process.pid) return true;
  // It ended since the list was read.
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
