import { describe, expect, it } from "vitest";
import { DeliveryScheduler, MAX_WAITING, type WaitingDelivery } from "../../../src/core/webhooks/delivery-scheduler.ts";
import { classifyResponse, MAX_AGE_MS } from "../../../src/core/webhooks/schedule.ts";
import fc from "../../fast-check.ts";
import { open, SchedulerWithModel } from "./scheduler-model.ts";

/** Compares as text: comparing field by field takes longer than the steps themselves. */
function same([real, model]: readonly [unknown, unknown]): void {
  expect(JSON.stringify(real)).toBe(JSON.stringify(model));
}

const endpoint = fc.constantFrom("a", "b", "c");
const step = fc.oneof(
  { weight: 4, arbitrary: fc.record({ do: fc.constant("accept" as const), endpoint, id: fc.nat(60) }) },
  { weight: 6, arbitrary: fc.record({ do: fc.constant("take" as const) }) },
  {
    weight: 5,
    arbitrary: fc.record({
      do: fc.constant("settle" as const),
      status: fc.constantFrom(200, 400, 500, 500, 503, 410),
      retryAfter: fc.constantFrom(undefined, undefined, "0", "6", "60", "40000"),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant("pass" as const),
      // Delays of the schedule, and times a millisecond before some limits.
      ms: fc.constantFrom(0, 1, 4_999, 5_000, 30_000, 600_000, 3_600_000, 43_200_000, MAX_AGE_MS - 1, MAX_AGE_MS),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constantFrom("switch on", "switch off", "close", "restart"), endpoint }),
  },
);

describe("DeliveryScheduler", () => {
  it("agrees with the model in any history of deliveries, failures, switched endpoints and restarts", () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 150 }), (steps) => {
        const scheduler = new SchedulerWithModel();
        for (const name of ["a", "b", "c"]) scheduler.put(name, open());
        for (const one of steps) {
          if ("ms" in one) same(scheduler.pass(one.ms));
          else if ("status" in one) same(scheduler.settle(one.status, one.retryAfter));
          else if ("id" in one) same(scheduler.accept(one.endpoint, `d${one.id}`));
          else if (one.do === "take") same(scheduler.take());
          else if (one.do === "close") scheduler.close(one.endpoint);
          else if (one.do === "restart") scheduler.restart();
          else scheduler.put(one.endpoint, { ...open(), enabled: one.do === "switch on" });
          same(scheduler.whole);
        }
      }),
      { numRuns: 1_000 },
    );
  });

  it("sends a failing endpoint one message at a time, and all of them once it has recovered", () => {
    const scheduler = new DeliveryScheduler(() => 0.5);
    scheduler.open("a", open());
    for (let n = 1; n <= 5; n++)
      scheduler.accept({ number: n, id: `d${n}`, endpoint: "a", acceptedMs: 0, attempts: 0, nextMs: 0 });
    const first = scheduler.take(0) as WaitingDelivery;
    scheduler.settle(first, classifyResponse({ status: 500 }, 0), 0);
    expect(scheduler.take(4_999)).toBeUndefined();
    expect(scheduler.nextDueMs).toBe(5_000);
    const second = scheduler.take(5_000) as WaitingDelivery;
    expect(scheduler.take(5_000)).toBeUndefined();
    scheduler.settle(second, classifyResponse({ status: 200 }, 5_000), 5_000);
    expect([scheduler.take(5_000), scheduler.take(5_000)]).not.toContain(undefined);
  });

  it("sends to an endpoint no faster than its pace, restarts included, and alone before it has allowed messages", () => {
    const scheduler = new DeliveryScheduler(() => 0.5);
    scheduler.open("a", { ...open(), pace: "alone" });
    for (let n = 1; n <= 3; n++)
      scheduler.accept({ number: n, id: `d${n}`, endpoint: "a", acceptedMs: 0, attempts: 0, nextMs: 0 });
    const first = scheduler.take(100) as WaitingDelivery;
    expect(scheduler.take(100)).toBeUndefined();
    scheduler.open("a", { ...open(), pace: 60_000 });
    scheduler.settle(first, classifyResponse({ status: 200 }, 100), 100);
    expect([scheduler.take(60_099), scheduler.nextDueMs]).toEqual([undefined, 60_100]);
    expect(scheduler.take(60_100)).toBeDefined();
    const again = new DeliveryScheduler(() => 0.5);
    again.open("a", { ...open(), pace: 60_000 });
    again.attempted("a", 60_100);
    again.restore({ number: 3, id: "d3", endpoint: "a", acceptedMs: 0, attempts: 0, nextMs: 0 });
    expect([again.take(120_099), again.take(120_100)?.id]).toEqual([undefined, "d3"]);
  });

  it("serves endpoints in turn", () => {
    const scheduler = new DeliveryScheduler(() => 0.5);
    for (const endpoint of ["a", "b", "c"]) {
      scheduler.open(endpoint, open());
      for (let n = 0; n < 3; n++)
        scheduler.accept({ number: n, id: `${endpoint}${n}`, endpoint, acceptedMs: 0, attempts: 0, nextMs: 0 });
    }
    const order = Array.from({ length: 6 }, () => scheduler.take(0)?.endpoint);
    expect(order).toEqual(["a", "b", "c", "a", "b", "c"]);
  });

  it("leaves places for endpoints that answer, however many others are slow or fail", () => {
    const scheduler = new DeliveryScheduler(() => 0.5);
    const names = Array.from({ length: 12 }, (_, n) => `slow${n}`);
    let number = 0;
    const accept = (endpoint: string) =>
      scheduler.accept({ number: ++number, id: `d${number}`, endpoint, acceptedMs: 0, attempts: 0, nextMs: 0 });
    for (const name of names) {
      scheduler.open(name, open());
      for (let n = 0; n < 3; n++) accept(name);
    }
    // Every slow endpoint has shown once that it is slow.
    for (const _ of names) {
      const taken = scheduler.take(0) as WaitingDelivery;
      scheduler.settle(taken, classifyResponse({ status: 200 }, 2_001), 2_001);
    }
    const held = Array.from({ length: 6 }, () => scheduler.take(2_001)?.endpoint);
    expect(held.filter((endpoint) => endpoint !== undefined)).toHaveLength(4);
    expect(scheduler.nextTakeMs).toBeUndefined();
    scheduler.open("quick", open());
    accept("quick");
    expect(scheduler.nextTakeMs).toBe(0);
    expect(scheduler.take(2_001)?.endpoint).toBe("quick");
  });

  it("refuses a delivery beyond the maximum that may wait for an endpoint", () => {
    const scheduler = new DeliveryScheduler(() => 0.5);
    scheduler.open("a", open());
    const answers = Array.from({ length: MAX_WAITING + 1 }, (_, n) =>
      scheduler.accept({ number: n, id: `d${n}`, endpoint: "a", acceptedMs: 0, attempts: 0, nextMs: 0 }),
    );
    expect([new Set(answers.slice(0, -1)), answers.at(-1)]).toEqual([new Set(["waiting"]), "full"]);
  });
});
