import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { UsageMeter } from "../../../src/core/billing/usage.ts";
import { paceOf } from "../../../src/core/deployment/profile.ts";
import { decodeBatches } from "../../../src/core/projection/batch.ts";
import { EvaluationTimer } from "../../../src/durable-objects/introspection/evaluation-timer.ts";
import { QueueOutbox } from "../../../src/durable-objects/signals/queue-outbox.ts";
import fc from "../../fast-check.ts";
import { observationSegment } from "../signals/log/observation-segment.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const segment = (seq: number) =>
  observationSegment(seq, JSON.stringify({ seq, id: `h.${seq}`, signal: "OBSERVATION", source: "s", facts: {} }));

/**
 * The way of observations to the scanners: outbox, queue, and the time between evaluations. Everything else takes no time.
 *
 * @param pausesMs - before each observation
 * @returns for each, how long after it came to the log the scanners have looked at it
 */
async function delays(profile: string, sendMs: number, pausesMs: readonly number[]): Promise<number[]> {
  const cameMs: number[] = [];
  const seenMs: number[] = [];
  let taken = 0;
  const evaluations = new EvaluationTimer((nowMs) => {
    while (seenMs.length < taken) seenMs.push(nowMs);
  });
  const queue = {
    send: async (body: string) => {
      await new Promise((resolve) => setTimeout(resolve, sendMs));
      taken = decodeBatches(body).batches[0]?.through ?? taken;
      evaluations.changed();
    },
  };
  const outbox = new QueueOutbox(
    "default",
    { epoch: "epoch", headSeq: 0 },
    () => queue,
    { of: (projection) => (projection === "observations" ? ["OBSERVATION"] : ["!*"]) },
    { meter: new UsageMeter(), pace: paceOf({ PROFILE: profile }).observations },
  );
  for (const pauseMs of pausesMs) {
    await vi.advanceTimersByTimeAsync(pauseMs);
    cameMs.push(Date.now());
    outbox.offer(segment(cameMs.length));
  }
  await vi.advanceTimersByTimeAsync(120_000);
  return cameMs.map((came, place) => (seenMs[place] ?? Number.POSITIVE_INFINITY) - came);
}

const anyPauses = fc.array(fc.integer({ min: 0, max: 300 }), { minLength: 1, maxLength: 40 });

describe("a gap", () => {
  it("follows its evidence at once after a pause", async () => {
    // A timer that waits for nothing takes a millisecond.
    for (const delay of await delays("local", 0, [1_000, 1_000])) expect(delay).toBeLessThanOrEqual(2);
    for (const delay of await delays("paid", 60, [1_000, 1_000])) expect(delay).toBeLessThanOrEqual(62);
  });

  it("follows its evidence within 100 ms on one machine, whatever comes meanwhile", async () => {
    const property = fc.asyncProperty(anyPauses, async (pausesMs) => {
      for (const delay of await delays("local", 1, pausesMs)) expect(delay).toBeLessThanOrEqual(100);
    });
    await fc.assert(property);
  });

  it("follows its evidence within 300 ms where a queue takes 60 ms, unless observations come all the time", async () => {
    // As many as may be sent soon one after the other.
    const pauses = fc.array(fc.integer({ min: 0, max: 300 }), { minLength: 1, maxLength: 25 });
    const property = fc.asyncProperty(pauses, async (pausesMs) => {
      for (const delay of await delays("paid", 60, pausesMs)) expect(delay).toBeLessThanOrEqual(300);
    });
    await fc.assert(property);
  });

  it("follows its evidence within a second and a half on the paid plan where observations come all the time", async () => {
    const found = await delays(
      "paid",
      60,
      Array.from({ length: 300 }, () => 100),
    );
    expect(Math.max(...found.slice(100))).toBeGreaterThan(300);
    expect(Math.max(...found)).toBeLessThanOrEqual(1_500);
  });
});
