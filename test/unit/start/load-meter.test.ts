import { describe, expect, it } from "vitest";
import { LoadMeter } from "../../../local-edge/load-meter.ts";
import { readThreads } from "../../../local-edge/process-load.ts";

const thread = (cpuMs: number, waitedMs = 0, onDisk = false) => ({ cpuMs, waitedMs, onDisk });

describe("the load of a process", () => {
  it("is what its threads had since the first look", () => {
    const meter = new LoadMeter(new Map([["1", thread(50, 70)]]), 0);
    expect(meter.look(new Map([["1", thread(60, 75)]]), 1_000)).toEqual({ cpuMs: 10, waitedMs: 5, diskMs: 0 });
    expect(meter.look(new Map([["1", thread(90, 75)]]), 2_000)).toEqual({ cpuMs: 40, waitedMs: 5, diskMs: 0 });
  });

  it("keeps what a thread had that has ended, and counts all of one that is new", () => {
    const meter = new LoadMeter(
      new Map([
        ["1", thread(9_000)],
        ["2", thread(5)],
      ]),
      0,
    );
    meter.look(
      new Map([
        ["1", thread(9_300)],
        ["2", thread(6)],
      ]),
      1_000,
    );
    const load = meter.look(
      new Map([
        ["2", thread(7)],
        ["3", thread(20)],
      ]),
      2_000,
    );
    expect(load.cpuMs).toBe(300 + 2 + 20);
  });

  it("counts the time before a look at which a thread waits for a disk, once however many do", () => {
    const meter = new LoadMeter(new Map(), 0);
    const waiting = new Map([
      ["1", thread(0, 0, true)],
      ["2", thread(0, 0, true)],
    ]);
    expect(meter.look(waiting, 1_000).diskMs).toBe(1_000);
    expect(meter.look(new Map([["1", thread(0)]]), 2_000).diskMs).toBe(1_000);
  });

  it("is read of a process that runs, and of none that is gone", () => {
    const before = readThreads(process.pid);
    expect(before?.get(String(process.pid))?.cpuMs).toBeGreaterThan(0);
    expect(readThreads(2 ** 30)).toBeUndefined();
  });
});
