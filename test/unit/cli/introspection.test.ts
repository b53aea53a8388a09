import { describe, expect, it } from "vitest";
import { chart, columnsOf } from "../../../cli/commands/introspection/chart.ts";
import { startEdge } from "./fake-edge.ts";
import { ganglion } from "./ganglion.ts";

const gap = {
  name: "cpu_bottleneck_a",
  fingerprint: "f00d",
  category: "resource_utilization",
  type: "performance",
  reason: "CPU use of a averages 97 %",
  alignment_score: 0.9,
  install_cost: 0.5,
  metadata: {
    metric: "cpu_percent",
    value: 97,
    threshold: 90,
    unit: "percent",
    sample_count: 12,
    reporters: ["a"],
    first_seq: 3,
    last_seq: 40,
    details: { ram_percent: 50 },
  },
  status: "open",
  raised_at: "2026-01-01T00:00:00.000Z",
  last_seen_at: "2026-01-01T00:01:00.000Z",
};

describe("ganglion gaps", () => {
  it("shows one gap with its evidence, and its lives before", async () => {
    const before = { ...gap, status: "resolved", resolved_at: "2025-12-01T00:00:00.000Z" };
    const edge = await startEdge(() => [200, { gaps: [gap, before] }]);
    const { out, code } = await ganglion(["gaps", "cpu_bottleneck_a", "--url", edge.url]);
    expect(code).toBe(0);
    expect(out).toMatch(/^cpu_percent +97 percent \(limit 90\)$/m);
    expect(out).toMatch(/^seen in +signals 3 to 40$/m);
    expect(out).toMatch(/^ram_percent +50$/m);
    expect(out).toMatch(/earlier gaps of this name\nSTATUS/);
    expect(edge.received[0]?.url.search).toBe("?status=all&name=cpu_bottleneck_a");
  });

  it("says when there is none of that name", async () => {
    const edge = await startEdge(() => [200, { gaps: [] }]);
    expect((await ganglion(["gaps", "x", "--url", edge.url])).err).toBe("no gaps called x\n");
  });
});

describe("ganglion scanners", () => {
  const scanner = {
    id: "bottleneck",
    category: "bottleneck",
    enabled: true,
    settings: { depth_above: 100 },
    state: "quarantined",
    failures: 3,
    last_error: "oh",
    retry_at: "2026-01-01T00:00:00.000Z",
  };

  it("lists them with their health", async () => {
    const edge = await startEdge(() => [200, { scanners: [scanner] }]);
    const { out } = await ganglion(["scanners", "--url", edge.url]);
    expect(out).toContain("quarantined until 2026-01-01T00:00:00.000Z");
    expect(out).toContain("depth_above=100");
  });

  it.each([
    [["set", "bottleneck", "depth_above=50", "depth_clear=40"], { settings: { depth_above: 50, depth_clear: 40 } }],
    [["enable", "bottleneck"], { enabled: true }],
    [["disable", "bottleneck"], { enabled: false }],
  ])("%j sends %j", async (args, body) => {
    const edge = await startEdge(() => [200, scanner]);
    const { code, out } = await ganglion(["scanners", ...args, "--url", edge.url]);
    expect([code, out]).toEqual([0, "id           bottleneck\nenabled      yes\ndepth_above  100\n"]);
    expect(edge.received[0]).toMatchObject({ method: "PATCH", body });
    expect(edge.received[0]?.url.pathname).toBe("/v1/default/scanners/bottleneck");
  });
});

describe("ganglion maintenance", () => {
  it("is shown, switched on with a reason, and off", async () => {
    const edge = await startEdge(({ body }) => [
      200,
      { enabled: false, reason: null, since: null, by: null, ...(body as object | undefined) },
    ]);
    const url = ["--url", edge.url];
    expect((await ganglion(["maintenance", ...url])).out).toContain("maintenance  off\n");
    expect((await ganglion(["maintenance", "on", "--reason", "cables", ...url])).out).toContain(
      "reason       cables\n",
    );
    expect(edge.received.at(-1)).toMatchObject({ method: "PUT", body: { enabled: true, reason: "cables" } });
    expect((await ganglion(["maintenance", "off", "--reason", "x", ...url])).code).toBe(2);
    expect((await ganglion(["maintenance", "maybe", ...url])).code).toBe(2);
  });
});

describe("ganglion observations --history", () => {
  const point = (minute: number, mean: number) => ({
    ts: new Date(Date.UTC(2026, 0, 1, 0, minute)).toISOString(),
    count: 2,
    mean,
    min: mean,
    max: mean,
    p50: mean,
    p95: mean,
  });

  it("draws a metric over time, in steps without a measurement nothing", async () => {
    const page = {
      metric: "cpu_percent",
      reporter: null,
      step_seconds: 60,
      reporters: ["a"],
      points: [point(0, 80), point(1, 40), point(3, 10)],
    };
    const edge = await startEdge(() => [200, page]);
    const args = [
      "observations",
      "--history",
      "--metric",
      "cpu_percent",
      "--zooid",
      "a",
      "--since",
      "2026-01-01T00:00:00Z",
    ];
    const { out } = await ganglion([...args, "--url", edge.url]);
    const lines = out.split("\n");
    expect(lines[0]).toBe("cpu_percent of a, mean of every 1 min");
    expect(lines.slice(1, 9)).toEqual(["80 │█", "   │█", "   │█", "   │█", "   │██", "   │██", "   │██", " 0 │██ █"]);
    expect(lines[9]).toBe("2026-01-01T00:00:00.000Z to 2026-01-01T00:03:00.000Z");
    expect(lines[10]).toContain("mean 43.33  min 10  max 80");
    const query = edge.received[0]?.url.searchParams;
    expect([query?.get("metric"), query?.get("reporter"), query?.get("since")]).toEqual([
      "cpu_percent",
      "a",
      "2026-01-01T00:00:00.000Z",
    ]);
    expect((await ganglion([...args, "--table", "--url", edge.url])).out).toContain("COUNT");
    expect((await ganglion(["observations", "--history", "--url", edge.url])).code).toBe(2);
  });

  it("puts as many steps into a column as it takes to fit, by their weight", () => {
    const points = [point(0, 10), { ...point(1, 40), count: 4 }, point(4, 5)];
    expect(columnsOf(points, 60_000, 3)).toEqual([30, undefined, 5]);
    expect(chart([1, undefined, -1], 2)).toEqual([" 1 │█", "-1 │█ ▁"]);
  });
});
