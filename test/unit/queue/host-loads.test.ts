import { describe, expect, it } from "vitest";
import { lastOfHosts } from "../../../src/core/introspection/window/host-samples.ts";
import type { Sample } from "../../../src/core/introspection/window/sample.ts";
import { placedBy } from "../../../src/core/queue/abilities.ts";
import { HostLoads, type HostSample, SAMPLE_AGE_MS } from "../../../src/core/queue/host-loads.ts";
import { readNeeds, writeNeeds } from "../../../src/core/queue/needs.ts";
import { ReadyQueues } from "../../../src/core/queue/ready-queues.ts";
import fc from "../../fast-check.ts";

const NOW = 1_000_000;
const sample = (host: string, gpuFreeMb: number | null, load = 10, atMs = NOW): HostSample => ({
  host,
  gpuFreeMb,
  load,
  atMs,
});
const gpu = (mb: number) => [`gpu_memory_mb=${mb}`];

function loadsAt(nowMs: number, samples: readonly HostSample[]) {
  const held = new Set<string>();
  const loads = new HostLoads((taskId) => held.has(taskId));
  loads.nowMs = nowMs;
  loads.update(samples);
  const give = (host: string, taskId: string, mb: number, startedMs = nowMs) => {
    held.add(taskId);
    loads.gave(host, { taskId, needs: gpu(mb), lease: { id: "l", startedMs } });
  };
  return { loads, held, give };
}

describe("needs of tasks", () => {
  it("are read as they were written, and wait in one line with those that are alike", () => {
    const needs = { skills: ["sql"], gpu_memory_mb: 8_000, labels: { zone: "a", disk: "ssd" } };
    const words = writeNeeds(needs);
    expect(readNeeds(words ?? [])).toEqual(needs);
    expect(writeNeeds({ labels: { disk: "ssd", zone: "a" }, gpu_memory_mb: 8_000, skills: ["sql"] })).toEqual(words);
    expect([writeNeeds({}), writeNeeds({ skills: [] }), writeNeeds({ skills: ["b", "a"] })]).toEqual([
      undefined,
      undefined,
      ["a", "b"],
    ]);
    expect(readNeeds(["python"])).toEqual({ skills: ["python"] });
  });
});

describe("what hosts have room for", () => {
  it("is what the last sample says, until the sample is too old", () => {
    const { loads } = loadsAt(NOW, [sample("a", 8_000), sample("b", null)]);
    expect([loads.hasGpuMemory("a", 8_000), loads.hasGpuMemory("a", 8_001)]).toEqual([true, false]);
    expect([loads.hasGpuMemory("b", 1), loads.hasGpuMemory("c", 1)]).toEqual([false, false]);
    loads.nowMs = NOW + SAMPLE_AGE_MS;
    expect(loads.hasGpuMemory("a", 1)).toBe(true);
    loads.nowMs += 1;
    expect([loads.hasGpuMemory("a", 1), loads.load("a")]).toEqual([false, 100]);
  });

  it("shrinks with each task that is given, and grows when the task ends or a later sample has it", () => {
    const { loads, held, give } = loadsAt(NOW, [sample("a", 10_000)]);
    give("a", "t1", 6_000);
    expect([loads.hasGpuMemory("a", 6_000), loads.hasGpuMemory("a", 4_000)]).toEqual([false, true]);
    held.delete("t1");
    expect(loads.hasGpuMemory("a", 10_000)).toBe(true);
    give("a", "t2", 6_000);
    loads.nowMs = NOW + 20_000;
    // A sample that was taken before the task can have taken its memory says nothing of it.
    loads.update([sample("a", 10_000, 10, NOW + 14_000)]);
    expect(loads.hasGpuMemory("a", 5_000)).toBe(false);
    loads.update([sample("a", 4_000, 10, NOW + 20_000)]);
    expect(loads.hasGpuMemory("a", 4_000)).toBe(true);
  });

  it("never is promised twice, whatever is given, ends and is measured, in 1,000 histories", () => {
    const step = fc.record({
      do: fc.constantFrom("give", "give", "end", "sample", "pass"),
      host: fc.constantFrom("a", "b"),
      mb: fc.constantFrom(1, 999, 1_000, 4_000),
      passMs: fc.constantFrom(0, 1, 5_000, 15_000, 60_001),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
        const TOTAL = 8_000;
        const running = new Map<string, { host: string; mb: number; sinceMs: number }>();
        const loads = new HostLoads((taskId) => running.has(taskId));
        let [nowMs, number] = [NOW, 0];
        const used = (host: string) =>
          [...running.values()].filter((one) => one.host === host).reduce((sum, { mb }) => sum + mb, 0);
        for (const { do: what, host, mb, passMs } of steps) {
          nowMs += passMs;
          loads.nowMs = nowMs;
          if (what === "give" && loads.hasGpuMemory(host, mb)) {
            const taskId = `t${number++}`;
            running.set(taskId, { host, mb, sinceMs: nowMs });
            loads.gave(host, { taskId, needs: gpu(mb), lease: { id: "l", startedMs: nowMs } });
          } else if (what === "end") running.delete([...running.keys()][0] ?? "");
          else if (what === "sample") {
            // A task takes its memory up to fifteen seconds after it was given.
            const seen = [...running.values()].filter((one) => one.host === host && nowMs - one.sinceMs >= 15_000);
            const free = TOTAL - seen.reduce((sum, one) => sum + one.mb, 0);
            loads.update([sample(host, free, 0, nowMs)]);
          }
          expect(Math.max(used("a"), used("b"))).toBeLessThanOrEqual(TOTAL);
        }
      }),
      { numRuns: 1_000 },
    );
  });

  it("is told in a sentence, with why each host does not do", () => {
    const { loads } = loadsAt(NOW + 540_000, [
      sample("gpu-01", 1_200, 95, NOW + 540_000),
      sample("gpu-02", 40_000, 10, NOW),
      sample("cpu-01", null, 10, NOW + 540_000),
    ]);
    expect(loads.reason(gpu(8_000), ["gpu-01", "gpu-02", "cpu-01", "new"])).toBe(
      "no host has 8,000 MB of free GPU memory: gpu-01 1,200 MB, gpu-02 sample is 9 min old, cpu-01 has no GPU, new sends no samples",
    );
    expect(loads.reason(["label:zone=a", "sql"], [])).toBe("no connected worker has zone=a, the skill sql");
    expect(loads.reason(gpu(1_000), ["gpu-01"])).toBe("every worker that may take it is busy");
    expect(loads.reason(gpu(1), [])).toBe("no connected worker says its host");
  });

  it("costs as much per lease with 20,000 tasks that nobody can take as with ten", () => {
    const counted = (backlog: number) => {
      let reads = 0;
      const tasks = Array.from({ length: backlog }, (_, seq) => ({
        seq,
        recipient: "coder",
        priority: 5,
        createdMs: 0,
        needs: gpu(8_000 + (seq % 3)),
      }));
      const ready = new ReadyQueues<(typeof tasks)[number]>({
        isReady: () => {
          reads++;
          return true;
        },
        read: (seq) => {
          reads++;
          return tasks[seq] as (typeof tasks)[number];
        },
      });
      for (const task of tasks) ready.add(task);
      const { loads } = loadsAt(NOW, [sample("small", 1_000), sample("large", 80_000)]);
      let asked = 0;
      const abilitiesOf = (host: string) => {
        const { skills } = placedBy({ host }, loads);
        return {
          size: skills?.size ?? 0,
          has: (need: string) => {
            asked++;
            return skills?.has(need) ?? false;
          },
        };
      };
      expect(ready.take(ready.routesFor(["coder", "*"], abilitiesOf("small")), NOW, null)).toBeUndefined();
      expect(ready.take(ready.routesFor(["coder", "*"], abilitiesOf("large")), NOW, null)).toBeDefined();
      return { reads, asked };
    };
    expect(counted(20_000)).toEqual(counted(10));
  });
});

describe("the last samples of hosts", () => {
  const of = (reporter: string, tsMs: number, facts: Record<string, unknown>) =>
    ({ reporter, tsMs, facts }) as unknown as Sample;

  it("are the newest of their own samplers, with the GPU that has the most free memory", () => {
    const samples = [
      of("host/a", 1, { gpu_memory_used_mb: 0, gpu_memory_total_mb: 10, cpu_percent: 1 }),
      of("host/a", 2, {
        cpu_percent: 40,
        gpu_utilization: 95,
        gpu_memory_used_mb: 30,
        gpu_memory_total_mb: 40,
        gpus: [
          { gpu_memory_used_mb: 18, gpu_memory_total_mb: 20 },
          { gpu_memory_used_mb: 12, gpu_memory_total_mb: 20 },
        ],
      }),
      of("app/a", 3, { host: "a", gpu_memory_used_mb: 0, gpu_memory_total_mb: 999 }),
      of("host/b", 4, { cpu_percent: 12 }),
    ];
    expect(lastOfHosts(samples, ["a", "b", "c"])).toEqual([
      { host: "b", atMs: 4, gpuFreeMb: null, load: 12 },
      { host: "a", atMs: 2, gpuFreeMb: 8, load: 95 },
    ]);
  });
});
