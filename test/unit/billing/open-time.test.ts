import { describe, expect, it } from "vitest";
import { OpenTime } from "../../../src/core/billing/open-time.ts";

/** What is counted for events, each from one time to another. */
function counted(...events: readonly (readonly [fromMs: number, toMs: number])[]): number {
  const open = new OpenTime();
  const steps = events.flatMap(([from, to]) => [
    { at: from, begins: true },
    { at: to, begins: false },
  ]);
  let sum = 0;
  for (const { at, begins } of steps.toSorted((a, b) => a.at - b.at || Number(b.begins) - Number(a.begins))) {
    if (begins) open.began(at);
    else sum += open.ended(at);
  }
  return sum;
}

describe("the time for which an object is open", () => {
  it("is that of an event, and a tenth of a second after it", () => {
    expect(counted([1_000, 1_250])).toBe(350);
  });

  it("counts events once that overlap, and those that follow within the tenth of a second", () => {
    expect(counted([1_000, 2_000], [1_500, 3_000])).toBe(2_100);
    expect(counted([1_000, 1_000], [1_040, 1_040], [1_080, 1_080])).toBe(180);
  });

  it("leaves out the time between events in which the object may hibernate", () => {
    expect(counted([0, 0], [10_000, 10_000], [20_000, 20_000])).toBe(300);
  });

  it("is counted while one event goes on for long and others end meanwhile", () => {
    const open = new OpenTime();
    open.began(0);
    open.began(1_000);
    expect(open.ended(60_000)).toBe(60_100);
  });
});
