import { existsSync, mkdirSync, readFileSync, rmdirSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import type { ProcessRules } from "../../src/core/supervision/process-rules.ts";
import type { Logger } from "../log.ts";
import { processStat } from "../process/process-group.ts";

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
      const members = readFileSync(join(base, "cgroup.procs"), "utf8").split("\n").filter(Boolean).map(Number);
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

  /** Puts a process that was just started into the group of its name, with its limits. */
  admit(name: string, pid: number, { memoryBytes, cpuPercent }: ProcessRules): void {
    const group = this.#group(name);
    try {
      mkdirSync(group, { recursive: true });
      this.#limit(group, "memory.max", memoryBytes === null ? "max" : String(memoryBytes));
      this.#limit(group, "memory.oom.group", "1");
      const quota = cpuPercent === null ? "max" : String(Math.round((cpuPercent / 100) * PERIOD_US));
      this.#limit(group, "cpu.max", `${quota} ${PERIOD_US}`);
      writeFileSync(join(group, "cgroup.procs"), String(pid));
    } catch (error) {
      // It may have ended already. Should it run, it is measured as everywhere else.
      this.#log.warn({ err: error, agent: name }, "an agent could not be put into its control group");
    }
  }

  /**
   * Ends whatever is left in the group.
   *
   * @returns whether the kernel had ended something in it for want of memory
   */
  dismiss(name: string): boolean {
    const group = this.#group(name);
    const outOfMemory = (countIn(join(group, "memory.events"), "oom_kill") ?? 0) > 0;
    try {
      writeFileSync(join(group, "cgroup.kill"), "1");
      rmdirSync(group);
    } catch {
      // What was killed may take a moment to be gone, and an older kernel has no such file: the group is used again.
    }
    return outOfMemory;
  }

  /** A controller that was not given has no such file. */
  #limit(group: string, file: string, value: string): void {
    const path = join(group, file);
    if (existsSync(path)) writeFileSync(path, value);
  }

  #group(name: string): string {
    return join(this.#base, `agent-${name}`);
  }
}

/** This process, and what it has started itself. */
function isOurs(pid: number): boolean {
  for (let at = pid; at > 1; at = processStat(at)?.parent ?? 0) if (at === process.pid) return true;
  // It ended since the list was read.
  return processStat(pid) === undefined;
}

function countIn(path: string, key: string): number | undefined {
  try {
    return Number(new RegExp(`^${key} (\\d+)$`, "m").exec(readFileSync(path, "utf8"))?.[1]);
  } catch {
    return undefined;
  }
}
