import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { NO_USAGE } from "../../../src/core/billing/usage.ts";
import { StateReports } from "../../../src/durable-objects/shell/state-reports.ts";
import type { UsageStore } from "../../../src/durable-objects/shell/usage-store.ts";

beforeEach(() => {
  // Timers of other objects that live in this isolate go on as they are.
  vi.useFakeTimers({ toFake: ["Date"] });
});
afterEach(() => {
  vi.useRealTimers();
});

/** An object on Cloudflare whose ecosystem is scraped: when it reported, and for when it asked to be woken. */
function reporting({ alarm, wanted = true }: { alarm: boolean; wanted?: boolean }) {
  const startedMs = Date.now();
  const reported: number[] = [];
  const wakes: number[] = [];
  const sinceMs = () => Date.now() - startedMs;
  const directory = {
    reportState: async () => {
      reported.push(sinceMs());
      return wanted;
    },
  };
  let state = 0;
  let last = 0;
  const waiting = new Map<number, { readonly atMs: number; readonly run: () => void }>();
  const timers = {
    setTimeout(run: () => void, ms: number) {
      waiting.set(++last, { atMs: Date.now() + ms, run });
      return last;
    },
    clearTimeout: (id: number) => waiting.delete(id),
  };
  const reports = new StateReports({
    env: { PROFILE: "paid", DIRECTORY: { idFromName: () => "directory", get: () => directory } },
    of: "SignalLog",
    objectName: "default",
    used: { holdsSomething: true, stored: () => NO_USAGE } as unknown as UsageStore,
    databaseSize: () => state,
    suspended: () => false,
    timers: timers as unknown as typeof globalThis,
    wakeBy: alarm ? (atMs) => wakes.push(atMs - startedMs) : undefined,
  });
  const works = () => {
    state++;
    reports.changed(Date.now());
  };
  const pass = async (ms: number) => {
    const endMs = Date.now() + ms;
    for (;;) {
      const [due] = [...waiting].filter(([, { atMs }]) => atMs <= endMs).sort(([, a], [, b]) => a.atMs - b.atMs);
      vi.setSystemTime(due?.[1].atMs ?? endMs);
      if (due === undefined) return;
      waiting.delete(due[0]);
      due[1].run();
      for (let turn = 0; turn < 20; turn++) await Promise.resolve();
    }
  };
  return { reports, reported, wakes, works, pass };
}

describe("an object that reports its state where duration is billed", () => {
  it("reports with its work, each 20 seconds, and holds a timer for no longer than a report takes to gather", async () => {
    const { reports, reported, works, pass } = reporting({ alarm: true });
    for (let call = 0; call < 130; call++) {
      works();
      // Besides the moment in which a report gathers there is no timer: the object may leave memory.
      await pass(101);
      expect(reports.holdsTimer).toBe(false);
      await pass(399);
    }
    expect(reported).toEqual([100, 20_100, 40_100, 60_100]);
  });

  it("reports what it did last by one alarm, after which it rests", async () => {
    const { reports, reported, wakes, works, pass } = reporting({ alarm: true });
    for (let call = 0; call < 5; call++) {
      works();
      await pass(200);
    }
    await pass(60_000);
    expect([reported, wakes]).toEqual([[100], [20_100]]);
    works();
    await pass(200);
    await pass(600_000);
    expect([reported.length, wakes.length, reports.holdsTimer]).toEqual([2, 1, false]);
  });

  it("that has no alarm reports what it did last within two seconds", async () => {
    const { reports, reported, works, pass } = reporting({ alarm: false });
    works();
    await pass(500);
    works();
    await pass(5_000);
    expect([reported, reports.holdsTimer]).toEqual([[100, 2_500], false]);
  });

  it("that nobody wants to hear of asks once in ten minutes, and is not woken for it", async () => {
    const { reports, reported, wakes, works, pass } = reporting({ alarm: true, wanted: false });
    for (let minute = 0; minute < 12; minute++) {
      works();
      await pass(60_000);
    }
    expect([reported.length, wakes, reports.holdsTimer]).toEqual([2, [], false]);
  });
});
