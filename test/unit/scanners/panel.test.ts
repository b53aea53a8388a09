import { describe, expect, test } from "vitest";
import type { Sample } from "../../../src/core/observations/sample.ts";
import { ScannerPanel } from "../../../src/core/scanners/panel.ts";
import { ResourceScanner } from "../../../src/core/scanners/resource-scanner.ts";
import type { Scanner } from "../../../src/core/scanners/scanner.ts";

class HostileScanner implements Scanner {
  readonly id = "hostile";
  readonly category = "hostile";
  readonly settings = {};
  mood: "quiet" | "throws" = "throws";
  looked = 0;
  observe(): void {
    if (this.mood === "throws") throw new Error("cannot observe");
  }
  forget(): void {}
  findings() {
    this.looked++;
    return [];
  }
}

const busy = (seq: number): Sample => ({
  seq,
  id: `s${seq}`,
  trace: undefined,
  depth: 0,
  tsMs: seq,
  reporter: "r",
  niche: null,
  ok: true,
  ttrMs: null,
  incidentId: null,
  facts: { cpu_percent: 99 },
});

describe("the panel of scanners", () => {
  test("a scanner that throws is reported and takes nothing from the others", () => {
    const panel = new ScannerPanel([new HostileScanner(), new ResourceScanner()]);
    for (let seq = 1; seq <= 5; seq++) panel.observe(busy(seq));
    const { findings, failures } = panel.evaluate(0);
    expect(findings.map(({ name }) => name)).toEqual(["cpu_bottleneck_r"]);
    expect(failures).toEqual([{ scanner: "hostile", error: "cannot observe", failures: 1 }]);
  });

  test("three failures in a row put it aside, for longer each time, and one good round brings it back", () => {
    const hostile = new HostileScanner();
    const panel = new ScannerPanel([hostile]);
    const round = (nowMs: number) => {
      panel.observe(busy(1));
      return panel.evaluate(nowMs).failures.length;
    };
    expect([round(0), round(1), round(2)]).toEqual([1, 1, 1]);
    expect(panel.health[0]?.state).toBe("quarantined");
    expect(round(60_001)).toBe(0);
    expect(hostile.looked).toBe(3);
    expect(round(60_002)).toBe(1);
    expect(round(60_002 + 119_999)).toBe(0);
    hostile.mood = "quiet";
    panel.evaluate(60_002 + 120_000);
    expect(panel.evaluate(60_002 + 120_000 + 240_000).failures).toEqual([]);
    expect(panel.health[0]?.state).toBe("healthy");
  });
});
