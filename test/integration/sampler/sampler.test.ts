import { chmodSync, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import type { ReportingService } from "../../../local-agent/base/service.ts";
import { GpuSampler } from "../../../local-agent/sampler/gpu-sampler.ts";
import { HostSampler } from "../../../local-agent/sampler/host-sampler.ts";
import { Spool } from "../../../local-agent/store/spool.ts";
import { StateDatabase } from "../../../local-agent/store/state-database.ts";
import { untilEnded } from "../../harness/process-alive.ts";
import { silent, temporaryDirectory } from "../../unit/store/temporary-state.ts";

const closing: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

const reported = (service: ReportingService, state: string) =>
  new Promise<void>((resolve) => {
    const look = () => service.report().state === state && resolve();
    service.onChange(look);
    look();
  });

function fakeTool(script: string): string {
  const directory = temporaryDirectory();
  const command = join(directory, "nvidia-smi");
  writeFileSync(command, `#!/bin/sh\n${script}\n`);
  chmodSync(command, 0o755);
  return command;
}

async function startGpu(command: string, options: { staleMs?: number } = {}) {
  const gpu = new GpuSampler({
    intervalMs: 20,
    now: Date.now,
    log: silent,
    command,
    backOff: { initialMs: 5, maxMs: 20 },
    ...options,
  });
  closing.push(() => gpu.stop());
  await gpu.start();
  return gpu;
}

describe("GPU sampler", () => {
  it("reads GPUs from one long-lived process, and ends the process when the sampler stops", async () => {
    const pidFile = join(temporaryDirectory(), "pid");
    const gpu = await startGpu(
      fakeTool(
        `echo $$ > ${pidFile}\nwhile :; do echo "0, 37, 1024, 24576, 55, NVIDIA H1, big"; echo "1, [N/A], 0, 24576, 40, NVIDIA H1, big"; sleep 0.02; done`,
      ),
    );
    await reported(gpu, "live");
    await new Promise<void>((resolve) => {
      gpu.onChange(() => gpu.readings().length === 2 && resolve());
      if (gpu.readings().length === 2) resolve();
    });
    expect(gpu.readings().map(({ index, gpu_utilization }) => [index, gpu_utilization])).toEqual([
      [0, 37],
      [1, undefined],
    ]);
    const pid = Number(readFileSync(pidFile, "utf8"));
    await gpu.stop();
    expect(() => process.kill(pid, 0)).toThrow("ESRCH");
  });

  it("starts the tool with the query and the interval", async () => {
    const args = join(temporaryDirectory(), "args");
    const gpu = await startGpu(fakeTool(`echo "$@" > ${args}\necho "0, 1, 2, 3, 4, Card"\nexec sleep 60`));
    await reported(gpu, "live");
    expect(readFileSync(args, "utf8")).toBe(
      "--query-gpu=index,utilization.gpu,memory.used,memory.total,temperature.gpu,name --format=csv,noheader,nounits -lms 20\n",
    );
  });

  it("reports a host without the tool as absent, not as failing", async () => {
    const gpu = await startGpu(join(temporaryDirectory(), "nvidia-smi"));
    expect(gpu.report()).toMatchObject({ state: "absent" });
    expect(gpu.readings()).toEqual([]);
  });

  it("reports a tool that hangs as failing since its last reading, ends it with all it started, and starts it again", async () => {
    const directory = temporaryDirectory();
    const second = join(directory, "second");
    const pids = join(directory, "pids");
    const gpu = await startGpu(
      fakeTool(
        `if [ -e ${second} ]; then while :; do echo "0, 5, 1, 2, 30, Card"; sleep 0.02; done; fi\ntouch ${second}\n` +
          `trap '' TERM\nsleep 600 & echo $! $$ > ${pids}\necho "0, 1, 2, 3, 4, Card"\nwhile :; do sleep 600; done`,
      ),
      { staleMs: 100 },
    );
    await reported(gpu, "live");
    await reported(gpu, "failing");
    const [, since = ""] =
      /^nvidia-smi has given no reading since (.+); it is started again$/.exec(gpu.report().detail) ?? [];
    expect(Date.parse(since)).toBeGreaterThan(Date.now() - 60_000);
    expect(gpu.readings()).toEqual([]);
    await reported(gpu, "live");
    await untilEnded(readFileSync(pids, "utf8").trim().split(" ").map(Number));
  });

  it("reports a tool that gives no first reading as failing", async () => {
    const gpu = await startGpu(fakeTool("exec sleep 600"), { staleMs: 50 });
    await reported(gpu, "failing");
    expect(gpu.report().detail).toContain("has given no reading since");
  });

  it("reports a card that falls silent while another goes on", async () => {
    const gpu = await startGpu(
      fakeTool('echo "0, 1, 2, 3, 4, Lost"; while :; do echo "1, 5, 1, 2, 30, Card"; sleep 0.02; done'),
      { staleMs: 200 },
    );
    await reported(gpu, "live");
    await reported(gpu, "failing");
    expect(gpu.report().detail).toContain("GPU 0 (Lost) has given no reading since");
    expect(gpu.readings().some(({ index }) => index === 1)).toBe(true);
  });

  it("finds a tool that is installed after the start", async () => {
    const command = join(temporaryDirectory(), "nvidia-smi");
    const gpu = await startGpu(command);
    expect(gpu.report().state).toBe("absent");
    renameSync(fakeTool('while :; do echo "0, 5, 1, 2, 30, Card"; sleep 0.02; done'), command);
    await reported(gpu, "live");
  });

  it("keeps the agent's secrets from the tool, and asks it for decimal points", async () => {
    const seen = join(temporaryDirectory(), "environment");
    process.env.GANGLION_TOKEN = "gng_secret";
    const gpu = await startGpu(fakeTool(`env > ${seen}\necho "0, 1, 2, 3, 4, Card"\nexec sleep 60`));
    delete process.env.GANGLION_TOKEN;
    await reported(gpu, "live");
    expect(readFileSync(seen, "utf8")).not.toContain("gng_secret");
    expect(readFileSync(seen, "utf8")).toContain("LC_ALL=C");
  });

  it("restarts the tool when it ends, and reports its error output", async () => {
    const marker = join(temporaryDirectory(), "second");
    const gpu = await startGpu(
      fakeTool(
        `if [ -e ${marker} ]; then echo "0, 5, 1, 2, 30, Card"; exec sleep 60; fi\ntouch ${marker}\necho "NVIDIA-SMI has failed"\nexit 9`,
      ),
    );
    const states: string[] = [];
    gpu.onChange(() => states.push(`${gpu.report().state}: ${gpu.report().detail}`));
    await reported(gpu, "live");
    expect(gpu.readings()).toHaveLength(1);
    expect(states.at(-1)).toBe("live: Card");
    expect([...states, ""].join()).toContain("status 9");
  });
});

describe("host sampler", () => {
  async function startSampler(options: { proc?: string; gpu?: GpuSampler; retryMs?: number } = {}) {
    const db = StateDatabase.open(temporaryDirectory());
    const spool = new Spool(db, { hostId: "a", maxBytes: 1e9, now: Date.now, log: silent });
    const { gpu } = options;
    const sampler = new HostSampler({
      hostId: "a",
      intervalMs: 30,
      spool,
      gpu: () => gpu?.readings() ?? [],
      now: Date.now,
      log: silent,
      ...(options.proc !== undefined && { proc: options.proc }),
      ...(options.retryMs !== undefined && { retryMs: options.retryMs }),
    });
    closing.push(async () => {
      await sampler.stop();
      db.close();
    });
    await sampler.start();
    /** The first sample from now on that `wanted` accepts. */
    const sample = (wanted: (facts: Record<string, unknown>) => boolean = () => true) =>
      new Promise<{ signal: string; source: string; timestamp: string; facts: Record<string, unknown> }>((resolve) => {
        spool.onPut(() => {
          const one = JSON.parse(spool.read("local", spool.lastNumber("local"), 1, 1e6)?.texts[0] ?? "");
          if (wanted(one.facts)) resolve(one);
        });
      });
    return { sampler, sample };
  }

  it("observes CPU and memory of this machine", async () => {
    const beganMs = Date.now();
    const { sampler, sample } = await startSampler();
    const { signal, source, facts, timestamp } = await sample(({ cpu_percent }) => cpu_percent !== undefined);
    expect({ signal, source }).toEqual({ signal: "OBSERVATION", source: "sampler/a" });
    expect(Date.parse(timestamp)).toBeGreaterThanOrEqual(beganMs);
    expect(Date.parse(timestamp)).toBeLessThanOrEqual(Date.now());
    expect(facts).toEqual({
      zooid: "host/a",
      ok: true,
      host: "a",
      niche: "host",
      cpu_percent: expect.any(Number),
      ram_percent: expect.any(Number),
    });
    expect(facts.ram_percent).toBeGreaterThan(0);
    expect(facts.cpu_percent).toBeLessThanOrEqual(100);
    expect(sampler.report()).toMatchObject({ state: "live" });
  });

  it("measures CPU use between two samples, and adds the GPUs", async () => {
    const proc = temporaryDirectory();
    const write = (busy: number, idle: number) => {
      writeFileSync(join(proc, "stat.new"), `cpu  ${busy} 0 0 ${idle} 0 0 0 0 0 0\n`);
      renameSync(join(proc, "stat.new"), join(proc, "stat"));
    };
    mkdirSync(proc, { recursive: true });
    writeFileSync(join(proc, "meminfo"), "MemTotal: 100 kB\nMemAvailable: 40 kB\n");
    write(100, 100);
    const gpu = await startGpu(fakeTool('while :; do echo "0, 20, 10, 100, 30, Card"; sleep 0.02; done'));
    await reported(gpu, "live");
    const { sample } = await startSampler({ proc, gpu });
    write(195, 105);
    expect((await sample(({ cpu_percent }) => cpu_percent !== undefined)).facts).toMatchObject({
      cpu_percent: 95,
      ram_percent: 60,
      gpu_utilization: 20,
      gpu_memory_used_mb: 10,
      gpu_memory_total_mb: 100,
    });
  });

  it("measures when /proc is there after the start", async () => {
    const proc = temporaryDirectory();
    const { sampler } = await startSampler({ proc, retryMs: 5 });
    expect(sampler.report().state).toBe("absent");
    writeFileSync(join(proc, "meminfo"), "MemTotal: 100 kB\nMemAvailable: 40 kB\n");
    writeFileSync(join(proc, "stat"), "cpu  100 0 0 100 0 0 0 0 0 0\n");
    await reported(sampler, "live");
  });

  it("reports a system without /proc as absent, not as failing", async () => {
    const { sampler } = await startSampler({ proc: join(temporaryDirectory(), "none") });
    expect(sampler.report()).toMatchObject({ state: "absent" });
  });
});
