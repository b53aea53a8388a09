import { describe, expect, it } from "vitest";
import {
  DeliveryDesk,
  ENDPOINT_AT_ONCE,
  type LaneState,
  type Waiting,
} from "../../../src/core/webhooks/delivery-desk.ts";
import { GIVE_UP_MS, judge, MAX_ATTEMPTS } from "../../../src/core/webhooks/schedule.ts";
import fc from "../../fast-check.ts";

const open = (): LaneState => ({ enabled: true, gone: false, failures: 0, pausedUntilMs: 0, failingSinceMs: null });

const step = fc.oneof(
  fc.record({ do: fc.constant("come" as const), endpoint: fc.constantFrom("a", "b"), id: fc.nat(9) }),
  fc.record({ do: fc.constant("take" as const) }),
  fc.record({ do: fc.constant("answer" as const), status: fc.constantFrom(200, 200, 400, 500, 503, 410) }),
  fc.record({
    do: fc.constant("pass" as const),
    ms: fc.constantFrom(0, 1, 5_999, 6_000, 3_600_000, GIVE_UP_MS - 1, GIVE_UP_MS),
  }),
  fc.record({ do: fc.constant("switch" as const), endpoint: fc.constantFrom("a", "b"), enabled: fc.boolean() }),
);

describe("the desk for deliveries", () => {
  it("ends each delivery once, sends none that has ended, and always knows when to look again", () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 150 }), (steps) => {
        const desk = new DeliveryDesk(() => 0.5);
        for (const endpoint of ["a", "b"]) desk.open(endpoint, open());
        let nowMs = 0;
        let number = 0;
        const waiting = new Map<string, Waiting>();
        const onTheWay: Waiting[] = [];
        const ended = new Set<string>();
        const end = ({ id }: Waiting) => {
          expect(ended.has(id)).toBe(false);
          expect(waiting.delete(id)).toBe(true);
          ended.add(id);
        };
        for (const one of steps) {
          if (one.do === "come") {
            const id = `d${one.id}`;
            const delivery: Waiting = {
              number: ++number,
              id,
              endpoint: one.endpoint,
              acceptedMs: nowMs,
              attempts: 0,
              nextMs: nowMs,
            };
            const known = waiting.has(id) || ended.has(id);
            const answer = desk.accept(delivery);
            expect(answer === "known").toBe(known);
            if (answer === "waiting") waiting.set(id, delivery);
            else if (answer !== "known") ended.add(id);
          } else if (one.do === "take") {
            const taken = desk.take(nowMs);
            if (taken === undefined) continue;
            expect(waiting.get(taken.id)).toBe(taken);
            expect(onTheWay).not.toContain(taken);
            expect(taken.nextMs).toBeLessThanOrEqual(nowMs);
            onTheWay.push(taken);
            const lane = desk.stateOf(taken.endpoint);
            expect(lane?.enabled).toBe(true);
            const here = onTheWay.filter(({ endpoint }) => endpoint === taken.endpoint).length;
            expect(here).toBeLessThanOrEqual(ENDPOINT_AT_ONCE);
          } else if (one.do === "answer") {
            const delivery = onTheWay.shift();
            if (delivery === undefined) continue;
            const settled = desk.settle(delivery, judge({ status: one.status }, nowMs), nowMs);
            expect(delivery.attempts).toBeLessThanOrEqual(MAX_ATTEMPTS);
            if (settled?.state === "waiting") expect(delivery.nextMs).toBeGreaterThan(nowMs);
            else end(delivery);
          } else if (one.do === "pass") {
            nowMs += one.ms;
            for (const delivery of desk.expire(nowMs)) {
              expect(nowMs - delivery.acceptedMs).toBeGreaterThanOrEqual(GIVE_UP_MS);
              expect(onTheWay).not.toContain(delivery);
              end(delivery);
            }
          } else desk.open(one.endpoint, { ...open(), enabled: one.enabled });
          expect(desk.waitingFor("a") + desk.waitingFor("b")).toBe(waiting.size);
          // What waits is either on its way or will be looked at again by itself: nothing is forgotten.
          if (waiting.size > 0 && onTheWay.length === 0) expect(desk.nextDueMs).toBeLessThanOrEqual(nowMs + GIVE_UP_MS);
        }
      }),
      { numRuns: 1_000 },
    );
  });

  it("asks an endpoint that fails with one message at a time, and lets all go when it has recovered", () => {
    const desk = new DeliveryDesk(() => 0.5);
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
    const desk = new DeliveryDesk(() => 0.5);
    for (const endpoint of ["a", "b", "c"]) {
      desk.open(endpoint, open());
      for (let n = 0; n < 3; n++)
        desk.accept({ number: n, id: `${endpoint}${n}`, endpoint, acceptedMs: 0, attempts: 0, nextMs: 0 });
    }
    const order = Array.from({ length: 6 }, () => desk.take(0)?.endpoint);
    expect(order).toEqual(["a", "b", "c", "a", "b", "c"]);
  });
});
