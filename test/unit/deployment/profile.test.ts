import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { INCLUDED } from "../../../src/core/billing/prices.ts";
import { UsageMeter } from "../../../src/core/billing/usage.ts";
import { SettingError } from "../../../src/core/deployment/placement.ts";
import { paceOf, planOf, readMetrics, readProfile, reportsMetrics } from "../../../src/core/deployment/profile.ts";
import { QueueOutbox } from "../../../src/durable-objects/signals/queue-outbox.ts";
import { observationSegment } from "../signals/log/observation-segment.ts";

const HOUR_MS = 3_600_000;
const LINE = JSON.stringify({
  seq: 1,
  id: "h.1",
  signal: "OBSERVATION",
  source: "s",
  facts: { note: "x".repeat(300) },
});

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const segment = (seq: number) => observationSegment(seq, LINE);

/** Hosts that measure themselves, evenly spread. @returns operations of the queue */
async function queueOperations(profile: string, hosts: number, everyMs: number, forMs: number): Promise<number> {
  const meter = new UsageMeter();
  const pace = paceOf({ PROFILE: profile }).observations;
  const queue = { send: async () => undefined };
  const outbox = new QueueOutbox(
    "default",
    { epoch: "epoch", headSeq: 0 },
    () => queue,
    { of: (projection) => (projection === "observations" ? ["OBSERVATION"] : ["!*"]) },
    { meter, pace },
  );
  const stepMs = everyMs / hosts;
  for (let seq = 1; seq * stepMs < forMs; seq++) {
    outbox.offer(segment(seq));
    await vi.advanceTimersByTimeAsync(stepMs);
  }
  return meter.usage.queue_operations;
}

describe("the profile of a deployment", () => {
  it("`free` fits the measurements of twenty hosts into the queue operations of a day", async () => {
    const operations = await queueOperations("free", 20, 60_000, 4 * HOUR_MS);
    // A message a minute, and those of the beginning.
    expect(operations).toBeGreaterThan(230 * 3);
    expect(operations * 6).toBeLessThan(INCLUDED.free.amounts.queue_operations / 2);
  });

  it("`paid` sends a message a second where measurements come all the time", async () => {
    // 50 hosts, each 5 s.
    const messages = (await queueOperations("paid", 50, 5_000, 600_000)) / 3;
    expect(messages).toBeLessThanOrEqual(600 + 25);
    expect(messages).toBeGreaterThan(500);
  });

  it("is `paid` where nothing is set, and one that does not exist is named", () => {
    expect([readProfile({}), readProfile({ PROFILE: "" }), readProfile({ PROFILE: "free" })]).toEqual([
      "paid",
      "paid",
      "free",
    ]);
    expect(() => readProfile({ PROFILE: "cheap" })).toThrow(SettingError);
    expect(() => readProfile({ PROFILE: "cheap" })).toThrow('PROFILE is "cheap": set it to one of paid, free, local');
    expect(paceOf({ PROFILE: "cheap" })).toEqual(paceOf({}));
  });

  it("`local` lets nothing wait to be cheaper, and prices what the paid plan would cost", () => {
    expect(paceOf({ PROFILE: "local" })).not.toHaveProperty("groups");
    expect(paceOf({ PROFILE: "local" })).not.toHaveProperty("links");
    expect([planOf({ PROFILE: "local" }), planOf({ PROFILE: "free" })]).toEqual(["paid", "free"]);
  });
});

describe("the variable METRICS", () => {
  it("is on where it is not set, and turns the reports of objects off only by that word", () => {
    expect([readMetrics({}), readMetrics({ METRICS: "" }), readMetrics({ METRICS: "off" })]).toEqual([
      "on",
      "on",
      "off",
    ]);
    expect([{}, { METRICS: "on" }, { METRICS: "no" }, { METRICS: "off" }].map(reportsMetrics)).toEqual([
      true,
      true,
      true,
      false,
    ]);
  });

  it("is refused with the words that it may be", () => {
    expect(() => readMetrics({ METRICS: "no" })).toThrow('METRICS is "no": set it to one of on, off');
  });
});
