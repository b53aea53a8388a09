import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it, vi } from "vitest";
import type { Logger } from "../../../local-agent/base/log.ts";
import type { LinkState } from "../../../local-agent/feature/edge-link.ts";
import { EdgeWatch } from "../../../local-agent/monitors/edge-watch.ts";
import { HealthMonitor } from "../../../local-agent/monitors/health.ts";
import type { Monitor } from "../../../local-agent/monitors/monitor.ts";
import { MonitorRunner } from "../../../local-agent/monitors/monitor-runner.ts";
import { HealthFacts } from "../../../src/core/hosts/monitors/facts.ts";
import { temporaryDirectory } from "../../harness/cleanup.ts";

function logOf() {
  const lines: string[] = [];
  const say = (...args: unknown[]) => lines.push(String(args.at(-1)));
  return { lines, log: { info: say, warn: say, error: say } as unknown as Logger };
}

describe("monitor runner", () => {
  it("runs the requested monitors, and a monitor that fails or hangs does not affect the others", async () => {
    const { lines, log } = logOf();
    let release = () => {};
    const hanging = new Promise<object>((resolve) => {
      release = () => resolve({ late: true });
    });
    const all: Monitor[] = [
      { name: "good", gather: async (after) => ({ after: after ?? null }) },
      { name: "broken", gather: () => Promise.reject(new Error("permission denied")) },
      { name: "hanging", gather: () => hanging as Promise<Record<string, unknown>> },
      { name: "unasked", gather: () => Promise.reject(new Error("nobody asked")) },
    ];
    const monitors = new MonitorRunner({ monitors: all, limitMs: 20, log });
    const asked = ["good", "broken", "hanging", "unknown"];
    const expected = {
      good: { after: "7" },
      broken: { error: "permission denied" },
      hanging: { error: "the monitor took longer than 0.02 s" },
    };
    expect(await monitors.gather(asked, { good: "7" })).toEqual(expected);
    expect(await monitors.gather(asked, { good: "7" })).toEqual({
      ...expected,
      hanging: { error: "the monitor has not finished the request before this one" },
    });
    expect(lines.filter((line) => line.includes("permission denied"))).toHaveLength(1);
    release();
    await hanging;
    expect(await monitors.gather(["hanging"], {})).toEqual({ hanging: { late: true } });
  });
});

describe("monitor runner with a monitor of which a part fails", () => {
  it("logs the part once, and again when its reason changes", async () => {
    const { lines, log } = logOf();
    let reason = "broken";
    const gather = async () => ({ readings: [], failed: [{ part: "disk:/data", reason }] });
    const monitors = new MonitorRunner({ monitors: [{ name: "health", gather }], limitMs: 1_000, log });
    await monitors.gather(["health"], {});
    await monitors.gather(["health"], {});
    reason = "gone";
    await monitors.gather(["health"], {});
    expect(lines).toEqual(["monitor health: disk:/data: broken", "monitor health: disk:/data: gone"]);
  });
});

describe("health monitor", () => {
  it("measures the values that the host has, in the units of the edge's limits", async () => {
    const proc = temporaryDirectory();
    writeFileSync(join(proc, "meminfo"), "MemTotal: 1000 kB\nMemAvailable: 250 kB\n");
    const health = new HealthMonitor({
      disks: [proc, "/no/such/place"],
      gpu: () => [
        { index: 0, name: "a", gpu_temperature_c: 71 },
        { index: 1, name: "b" },
      ],
      busListens: async () => false,
      spool: () => ({ bytes: 30, maxBytes: 120 }),
      proc,
    });
    const { readings } = HealthFacts.parse(await health.gather());
    const value = (kind: string) => readings.find((reading) => reading.kind === kind)?.value;
    expect(readings.map(({ kind, instance }) => [kind, instance])).toEqual([
      ["disk", proc],
      ["memory", undefined],
      ["load", undefined],
      ["gpu_temperature", "0"],
      ["bus_down", undefined],
      ["spool", undefined],
    ]);
    expect([value("memory"), value("gpu_temperature"), value("bus_down"), value("spool")]).toEqual([75, 71, 1, 25]);
    expect(value("disk")).toBeGreaterThanOrEqual(0);
    expect(value("disk")).toBeLessThanOrEqual(100);
  });

  const parts = (over: Partial<ConstructorParameters<typeof HealthMonitor>[0]>) => {
    const proc = temporaryDirectory();
    writeFileSync(join(proc, "meminfo"), "MemTotal: 1000 kB\nMemAvailable: 250 kB\n");
    return new HealthMonitor({
      disks: [proc],
      gpu: () => [],
      spool: () => ({ bytes: 30, maxBytes: 120 }),
      proc,
      ...over,
    });
  };
  const kindsOf = ({ readings }: HealthFacts) => readings.map(({ kind }) => kind);

  it("measures everything else when the path of a disk lies below a file, and says which path fails and why", async () => {
    const file = join(temporaryDirectory(), "a-file");
    writeFileSync(file, "");
    const facts = HealthFacts.parse(await parts({ disks: [file, join(file, "below")] }).gather());
    expect(kindsOf(facts)).toEqual(["disk", "memory", "load", "spool"]);
    expect(facts.failed).toEqual([
      {
        part: `disk:${join(file, "below")}`,
        reason: "the file system cannot be measured (ENOTDIR): check monitors.disks",
      },
    ]);
  });

  it("measures everything else when the bus, the cards or the spool cannot be asked", async () => {
    const fails = () => {
      throw new Error("broken");
    };
    const health = parts({ gpu: fails, busListens: () => Promise.reject(new Error("no socket")), spool: fails });
    const facts = HealthFacts.parse(await health.gather());
    expect(kindsOf(facts)).toEqual(["disk", "memory", "load"]);
    expect(facts.failed).toEqual([
      { part: "gpu_temperature", reason: "broken" },
      { part: "bus_down", reason: "no socket" },
      { part: "spool", reason: "broken" },
    ]);
  });

  it("says that the memory cannot be measured when its file says nothing of it", async () => {
    const proc = temporaryDirectory();
    writeFileSync(join(proc, "meminfo"), "MemTotal: 1000 kB\n");
    const facts = HealthFacts.parse(await parts({ proc }).gather());
    expect(facts.failed).toEqual([
      { part: "memory", reason: `${join(proc, "meminfo")} does not say how much memory is available` },
    ]);
  });

  it("does not wait for a part that hangs, and does not ask it again until it has answered", async () => {
    let asked = 0;
    let answer = (_: boolean) => {};
    const busListens = () => {
      asked++;
      return new Promise<boolean>((resolve) => {
        answer = resolve;
      });
    };
    const health = parts({ busListens, limitMs: 800 });
    const first = HealthFacts.parse(await health.gather());
    expect(kindsOf(first)).toEqual(["disk", "memory", "load", "spool"]);
    expect(first.failed).toEqual([{ part: "bus_down", reason: "it did not answer within 0.6 s" }]);
    const second = HealthFacts.parse(await health.gather());
    expect(second.failed).toEqual([{ part: "bus_down", reason: "it has not answered since an earlier request" }]);
    expect(asked).toBe(1);
    answer(true);
  });
});

describe("edge watch", () => {
  function watch() {
    const { lines, log } = logOf();
    let state: LinkState = { state: "connecting", detail: "connecting" };
    let changed = () => {};
    const said: string[] = [];
    const edge = new EdgeWatch({
      link: {
        get state() {
          return state;
        },
        onChange: (listener) => {
          changed = listener;
          return () => {
            changed = () => {};
          };
        },
      },
      limits: { edgeMs: 120_000, cronPeriods: 2, queueMs: 180_000 },
      notices: { start: async () => {}, stop: async () => {}, silent: {}, add: () => {} },
      announce: (signal, facts) => {
        if (facts.part === "edge") said.push(`${signal} ${facts.reason ?? facts.silent_seconds}`);
      },
      now: () => Date.now(),
      log,
    });
    const link = (next: LinkState["state"], detail = next as string) => {
      state = { state: next, detail };
      changed();
    };
    return { edge, link, said, lines };
  }

  it("announces a long silence of the edge once, and its end, but no short absence", async () => {
    vi.useFakeTimers();
    try {
      const { edge, link, said, lines } = watch();
      await edge.start();
      link("connected");
      const rounds = () => {
        for (let round = 0; round < 4; round++) {
          edge.asked({ round_ms: 60_000 });
          vi.advanceTimersByTime(50_000);
        }
      };
      rounds();
      link("waiting", "the connection broke");
      vi.advanceTimersByTime(119_999);
      link("connected");
      rounds();
      expect(said).toEqual([]);

      link("waiting", "the connection broke");
      for (let attempt = 0; attempt < 10; attempt++) {
        vi.advanceTimersByTime(15_000);
        link("connecting");
        link("waiting", "nothing listens");
      }
      expect(said).toEqual(["Q_EDGE_SILENT nothing listens"]);
      expect(lines).toHaveLength(1);
      expect(edge.silentSince).not.toBeNull();
      link("connected");
      expect(said).toEqual(["Q_EDGE_SILENT nothing listens", "Q_EDGE_BACK 150"]);
      expect(edge.silentSince).toBeNull();
      await edge.stop();
      expect(vi.getTimerCount()).toBe(0);
    } finally {
      vi.useRealTimers();
    }
  });
});
