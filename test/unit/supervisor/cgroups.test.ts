import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeEach, describe, expect, it } from "vitest";
import { Cgroups, cappedByLimits } from "../../../local-agent/supervisor/cgroups.ts";
import { DEFAULT_RULES } from "../../../src/core/supervisor/process-rules.ts";
import { silent, temporaryDirectory } from "../store/temporary-state.ts";

/** A tree of files in the shape of the kernel's, since no machine lends its own to a test. */
let root: string;
let base: string;

function service(path: string, { procs = `${process.pid}\n`, controllers = "cpuset cpu io memory pids\n" } = {}) {
  base = join(root, path);
  mkdirSync(base, { recursive: true });
  writeFileSync(join(base, "cgroup.controllers"), controllers);
  writeFileSync(join(base, "cgroup.procs"), procs);
  const self = join(root, "self");
  writeFileSync(self, `12:pids:/elsewhere\n0::/${path}\n`);
  return Cgroups.open({ log: silent, root, self });
}

const text = (...path: string[]) => readFileSync(join(base, ...path), "utf8");

beforeEach(() => {
  root = temporaryDirectory();
});

describe("control groups", () => {
  it("are made below the service's own group: the agent moves into a group of its own, and its children get controllers", () => {
    expect(service("system.slice/ganglion-agent.service")).toBeDefined();
    expect(text("ganglion-agent", "cgroup.procs")).toBe(String(process.pid));
    expect(text("cgroup.subtree_control")).toBe("+memory +cpu +pids");
  });

  it("are left unchanged in a person's session, at the root, and where they hold other processes", () => {
    expect(service("user.slice/session-2.scope")).toBeUndefined();
    expect(service("")).toBeUndefined();
    expect(service("system.slice/other.service", { procs: `${process.pid}\n1\n` })).toBeUndefined();
    expect(existsSync(join(base, "cgroup.subtree_control"))).toBe(false);
    expect(Cgroups.open({ log: silent, root, self: join(root, "no-such-file") })).toBeUndefined();
  });

  it("limit an agent, and report when the kernel ended it for want of memory", () => {
    const groups = service("a.service");
    const group = join(base, "agent-coder");
    mkdirSync(group);
    const files = ["memory.max", "memory.swap.max", "memory.oom.group", "cpu.max"];
    for (const file of files) writeFileSync(join(group, file), "");
    const enforced = groups?.admit("coder", 4_711, "run", {
      ...DEFAULT_RULES,
      memoryBytes: 1_048_576,
      cpuPercent: 150,
    });
    expect(enforced).toEqual({ memory: true, cpu: true });
    expect([...files, "cgroup.procs"].map((file) => text("agent-coder", file))).toEqual([
      "1048576",
      "0",
      "1",
      "150000 100000",
      "4711",
    ]);
    groups?.admit("coder", 4_712, "run", DEFAULT_RULES);
    expect(files.map((file) => text("agent-coder", file))).toEqual(["max", "max", "1", "max 100000"]);
    writeFileSync(join(group, "memory.events"), "low 0\noom 1\noom_kill 0\n");
    expect(groups?.dismiss("coder")).toBe(false);
    writeFileSync(join(group, "memory.events"), "low 0\noom 1\noom_kill 1\n");
    expect(groups?.dismiss("coder")).toBe(true);
    expect(text("agent-coder", "cgroup.kill")).toBe("1");
    // A killed process may keep the group, and its counters, for a moment.
    groups?.admit("coder", 4_713, "run", DEFAULT_RULES);
    expect(groups?.dismiss("coder")).toBe(false);
  });

  it("take in the processes that an agent started before it was moved", async () => {
    const groups = service("a.service");
    const [own, other] = ["coder.1", "tester.1"].map((run) =>
      spawn("sleep", ["600"], { env: { ...process.env, GANGLION_RUN: run } }),
    );
    try {
      await Promise.all([own, other].map((child) => child && once(child, "spawn")));
      writeFileSync(join(base, "ganglion-agent", "cgroup.procs"), `${process.pid}\n${other?.pid}\n${own?.pid}\n`);
      groups?.admit("coder", 4_711, "coder.1", DEFAULT_RULES);
      // The last that was moved.
      expect(text("agent-coder", "cgroup.procs")).toBe(String(own?.pid));
    } finally {
      for (const child of [own, other]) child?.kill();
    }
  });

  it("cap measurements at the limits that the kernel enforces", () => {
    const reading = { memoryBytes: 2_000, cpuPercent: 51.2, running: true, stopped: false };
    const rules = { ...DEFAULT_RULES, memoryBytes: 1_000, cpuPercent: 50 };
    expect(cappedByLimits(reading, rules, { memory: true, cpu: true })).toMatchObject({
      memoryBytes: 1_000,
      cpuPercent: 50,
    });
    expect(cappedByLimits(reading, rules, { memory: false, cpu: false })).toEqual(reading);
    expect(cappedByLimits(reading, DEFAULT_RULES, { memory: true, cpu: true })).toEqual(reading);
  });
});
