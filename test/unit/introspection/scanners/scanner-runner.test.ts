import { describe, expect, test } from "vitest";
import * as z from "zod";
import { resourceScanner } from "../../../../src/core/introspection/scanners/resource-scanner.ts";
import type { FindingWithCause, ScannerKind } from "../../../../src/core/introspection/scanners/scanner.ts";
import { ScannerRunner } from "../../../../src/core/introspection/scanners/scanner-runner.ts";
import { aSample } from "./a-sample.ts";

class Hostile implements ScannerKind {
  readonly id = "hostile";
  readonly category = "hostile";
  readonly settings = z.strictObject({});
  mood: "quiet" | "throws" | "endless" = "throws";
  asked = 0;
  open() {
    return {
      observe: () => {
        if (this.mood === "throws") throw new Error("cannot observe");
      },
      forget: () => {},
      findings: () => this.#findings(),
    };
  }
  *#findings(): Generator<FindingWithCause> {
    this.asked++;
    const cause = aSample(1, {});
    while (this.mood === "endless") yield { name: "endless", cause } as FindingWithCause;
  }
}

const samples = Array.from({ length: 5 }, (_, n) => aSample(n + 1, { cpu_percent: 99 }));

describe("ScannerRunner", () => {
  test("a scanner that throws is reported and takes nothing from the others", () => {
    const runner = new ScannerRunner([new Hostile(), resourceScanner]);
    for (const sample of samples) runner.observe(sample);
    const { findings, failures } = runner.evaluate(0, () => samples);
    expect(findings.map(({ name }) => name)).toEqual(["cpu_bottleneck_r"]);
    expect(failures).toEqual([{ scanner: "hostile", error: "cannot observe", failures: 1, retryAtMs: 0 }]);
  });

  test("one that never ends of findings, or of time, is stopped", () => {
    const endless = new Hostile();
    endless.mood = "endless";
    const byCount = new ScannerRunner([endless, resourceScanner], { budget: { findings: 10 } });
    expect(byCount.evaluate(0, () => samples).failures[0]?.error).toContain("more than 5000 findings");
    let nowMs = 0;
    const byTime = new ScannerRunner([endless], {
      budget: { findings: 1e9, ms: 30_000 },
      clock: () => (nowMs += 1_000),
    });
    expect(byTime.evaluate(0, () => samples).failures[0]?.error).toContain("more than 30 s");
  });

  test("three failures in a row put it aside, for longer each time, and one good round brings it back", () => {
    const hostile = new Hostile();
    const runner = new ScannerRunner([hostile]);
    const round = (nowMs: number) => runner.evaluate(nowMs, () => samples).failures.length;
    for (const sample of samples) runner.observe(sample);
    expect([round(0), round(1), round(2)]).toEqual([1, 1, 1]);
    expect(runner.health[0]).toMatchObject({ state: "quarantined", failures: 3, retryAtMs: 60_002 });
    expect(round(60_001)).toBe(0);
    expect(round(60_002)).toBe(1);
    expect(round(60_002 + 119_999)).toBe(0);
    hostile.mood = "quiet";
    expect(round(60_002 + 120_000)).toBe(0);
    expect(runner.health[0]).toMatchObject({ state: "healthy", failures: 0, lastError: undefined });
    expect(hostile.asked).toBe(1);
  });

  test("one that is back has seen the whole window, and what it said before stands meanwhile", () => {
    let broken = false;
    const flaky: ScannerKind = {
      ...resourceScanner,
      open: (settings) => {
        const scanner = resourceScanner.open(settings);
        const findings = () => {
          if (broken) throw new Error("not now");
          return scanner.findings();
        };
        return { observe: (sample) => scanner.observe(sample), forget: (sample) => scanner.forget(sample), findings };
      },
    };
    const runner = new ScannerRunner([flaky]);
    for (const sample of samples) runner.observe(sample);
    const names = (nowMs: number) => runner.evaluate(nowMs, () => samples).findings.map(({ name }) => name);
    expect(names(0)).toEqual(["cpu_bottleneck_r"]);
    broken = true;
    expect(names(1)).toEqual(["cpu_bottleneck_r"]);
    broken = false;
    expect(runner.evaluate(2, () => samples).findings[0]?.evidence.sample_count).toBe(5);
  });

  test("settings count from the next evaluation, for what is in the window too", () => {
    const runner = new ScannerRunner([resourceScanner]);
    const mild = samples.map((sample) => ({ ...sample, facts: { cpu_percent: 70 } }));
    for (const sample of mild) runner.observe(sample);
    expect(runner.evaluate(0, () => mild).findings).toEqual([]);
    const settings = resourceScanner.settings.parse({ cpu_percent_above: 60, cpu_percent_clear: 55 });
    runner.set("resource_utilization", { enabled: true, settings }, mild);
    expect(runner.evaluate(1, () => mild).findings).toHaveLength(1);
    runner.set("resource_utilization", { enabled: false, settings }, mild);
    expect(runner.evaluate(2, () => mild).findings).toEqual([]);
  });
});
