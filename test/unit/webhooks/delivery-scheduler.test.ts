import { describe, expect, it } from "vitest";
import { DeliveryScheduler, MAX_WAITING, type Waiting } from "../../../src/core/webhooks/delivery-scheduler.ts";
import { GIVE_UP_MS, judge } from "../../../src/core/webhooks/schedule.ts";
import fc from "../../fast-check.ts";
import { DeskWithModel, open } from "./scheduler-model.ts";

/** As text: comparing field by field takes longer than all that led to it. */
function same([real, model]: readonly [unknown, unknown]): void {
  expect(JSON.stringify(real)).toBe(JSON.stringify(model));
}

const endpoint = fc.constantFrom("a", "b", "c");
const step = fc.oneof(
  { weight: 4, arbitrary: fc.record({ do: fc.constant("come" as const), endpoint, id: fc.nat(60) }) },
  { weight: 6, arbitrary: fc.record({ do: fc.constant("take" as const) }) },
  {
    weight: 5,
    arbitrary: fc.record({
      do: fc.constant("answer" as const),
      status: fc.constantFrom(200, 400, 500, 500, 503, 410),
      retryAfter: fc.constantFrom(undefined, undefined, "0", "6", "60", "40000"),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant("pass" as const),
      // The pauses of the schedule, a millisecond on either side of them.
      ms: fc.constantFrom(0, 1, 4_999, 5_000, 30_000, 600_000, 3_600_000, 43_200_000, GIVE_UP_MS - 1, GIVE_UP_MS),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constantFrom("switch on", "switch off", "close", "restart"), endpoint }),
  },
);

describe("the desk for deliveries", () => {
  it("agrees with the model whatever comes, fails, is switched off, taken away or lost from memory", () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 150 }), (steps) => {
        const desk = new DeskWithModel();
        for (const name of ["a", "b", "c"]) desk.put(name, open());
        for (const one of steps) {
          if ("ms" in one) same(desk.pass(one.ms));
          else if ("status" in one) same(desk.answer(one.status, one.retryAfter));
          else if ("id" in one) same(desk.come(one.endpoint, `d${one.id}`));
          else if (one.do === "take") same(desk.take());
          else if (one.do === "close") desk.close(one.endpoint);
          else if (one.do === "restart") desk.restart();
          else desk.put(one.endpoint, { ...open(), enabled: one.do === "switch on" });
          same(desk.whole);
        }
      }),
      { numRuns: 1_000 },
    );
  });

  it("asks an endpoint that fails with one message at a time, and lets all go when it has recovered", () => {
    const desk = new DeliveryScheduler(() => 0.5);
    desk.open("a", open());
    for (let n = 1; n <= 5; n++)
      desk.accept({ number: n, id: `d${n}`, endpoint: "a", acceptedMs: 0, attempts: 0, nextMs: 0 });
    const first = desk.take(0) as Waiting;
    desk.settle(first, judge({ status: 500 }, 0), 0);
    expect(desk.take(4_999)).toBeUndefined();
    expect(desk.nextDueMs).toBe(5_000);
    const second = desk.take(5_000) as Waiting;
    expect(desk.take(5_000)).toBeUndefined();
    desk.settle(second, judge({ status: 200 }, 5_000), 5_000);
    expect([desk.take(5_000), desk.take(5_000)]).not.toContain(undefined);
  });

  it("serves many endpoints in turn", () => {
    const desk = new DeliveryScheduler(() => 0.5);
    for (const endpoint of ["a", "b", "c"]) {
      desk.open(endpoint, open());
      for (let n = 0; n < 3; n++)
        desk.accept({ number: n, id: `${endpoint}${n}`, endpoint, acceptedMs: 0, attempts: 0, nextMs: 0 });
    }
    const order = Array.from({ length: 6 }, () => desk.take(0)?.endpoint);
    expect(order).toEqual(["a", "b", "c", "a", "b", "c"]);
  });

  it("gives up at once what comes beyond what may wait for an endpoint", () => {
    const desk = new DeliveryScheduler(() => 0.5);
    desk.open("a", open());
    const answers = Array.from({ length: MAX_WAITING + 1 }, (_, n) =>
      desk.accept({ number: n, id: `d${n}`, endpoint: "a", acceptedMs: 0, attempts: 0, nextMs: 0 }),
    );
    expect([new Set(answers.slice(0, -1)), answers.at(-1)]).toEqual([new Set(["waiting"]), "full"]);
  });
});
