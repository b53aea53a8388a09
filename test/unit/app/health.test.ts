import { describe, expect, it } from "vitest";
import { Health } from "../../../local-agent/app/health.ts";
import { MetricRegistries } from "../../../local-agent/app/metric-registries.ts";
import { FeatureRegistrar } from "../../../local-agent/app/registrar.ts";
import { HostCommands } from "../../../local-agent/commands/host-commands.ts";

describe("health of an agent", () => {
  it("tells the problem of one check when another check throws, and tells that one as well", async () => {
    const health = new Health();
    health.add(() => Promise.reject(new Error("no such device")));
    health.add(async () => ({ reason: "the disk is full", restartHelps: false }));
    expect(await health.check()).toEqual({
      reason: "a check failed: no such device; the disk is full",
      restartHelps: false,
    });
  });
});

describe("metrics of an agent", () => {
  it("show every other feature when the values of one cannot be read, and count it", async () => {
    const failures: unknown[] = [];
    const registries = {
      metrics: new MetricRegistries((error) => failures.push(error)),
      commands: new HostCommands(),
      health: new Health(),
      provided: {},
    };
    const broken = new Error("the database is closed");
    new FeatureRegistrar(registries).gauge({
      name: "broken",
      help: "Broken",
      read: () => {
        throw broken;
      },
    });
    new FeatureRegistrar(registries).gauge({ name: "level", help: "Level", read: () => 7 });
    const lines = (await registries.metrics.text()).split("\n").filter((line) => !line.startsWith("#"));
    expect(lines).toEqual(["level 7", "ganglion_agent_unreadable_metrics 1", ""]);
    expect(failures).toEqual([broken]);
  });
});
