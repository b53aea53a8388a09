import { describe, expect, it } from "vitest";
import { type Entry, newEntry } from "../../../src/core/queue/entry.ts";
import { writeNeeds } from "../../../src/core/queue/needs.ts";
import { readRoute, routeOf } from "../../../src/core/queue/route.ts";
import { hashOfId, packPlace, readPlace } from "../../../src/core/queue/waiting-place.ts";
import fc from "../../fast-check.ts";
import { aTask } from "./queue-under-test.ts";

const entry = (change: Parameters<typeof aTask>[0] = {}): Entry => newEntry(aTask(change), 7, "a", 5, 1_000);
const placeOf = (one: Entry) => readPlace(JSON.parse(`[${one.seq},${packPlace(one)}]`));
const lease = {
  id: "l",
  holder: "h",
  worker: "w",
  startedMs: 1_000,
  expiresMs: 2_000,
  storedMs: 2_000,
  grantMs: 0,
  graced: false,
};

describe("the stored place of a task that waits", () => {
  it("has its line, its priority, its id as a hash and its due time", () => {
    expect(placeOf(entry({ needs: ["python"], limits: ["api"], priority: 3 }))).toEqual({
      seq: 7,
      route: "coder python !api",
      priority: 3,
      idHash: hashOfId("a"),
      ready: true,
      dueMs: Number.POSITIVE_INFINITY,
    });
  });

  it.each([
    ["ready, until its deadline", { deadlineMs: 500 }, { ready: true, dueMs: 1_500 }],
    ["delayed, until its delay ends", { delayMs: 200, deadlineMs: 500 }, { ready: false, dueMs: 1_200 }],
    ["delayed, until a deadline before that", { delayMs: 900, deadlineMs: 500 }, { ready: false, dueMs: 1_500 }],
  ])("says that a task is %s", (_, given, expected) => {
    expect(placeOf(entry(given))).toMatchObject(expected);
  });

  it("says that a task is delayed whose delay is over, since storage does not know", () => {
    expect(placeOf({ ...entry({ delayMs: 200 }), state: "ready" })).toMatchObject({ ready: false, dueMs: 1_200 });
  });

  it("has no due time where somebody had taken the task before its deadline", () => {
    expect(placeOf({ ...entry({ deadlineMs: 500 }), waitsFor: { why: "waits" } }).dueMs).toBe(Number.POSITIVE_INFINITY);
  });

  it.each([
    ["leased", { lease }],
    ["to be judged", { proof: { id: "p", leaseId: "l", worker: "w", sinceMs: 1, round: 1 } }],
    ["a call of an agent that may itself do tasks", { caller: "c", sender: "planner" }],
  ])("is none where the task is %s", (_, change) => {
    expect(packPlace({ ...entry(), ...change })).toBeNull();
  });

  it.each(['"coder"', '"coder",5,1,2', '"coder",5,1,1,"late"', "5,5,1,1"])("is refused where it is %s", (text) => {
    expect(() => readPlace(JSON.parse(`[7,${text}]`))).toThrow("the stored place of a task is not readable");
  });

  it("gives back every route", () => {
    const word = fc.stringMatching(/^[a-zA-Z0-9_./:"-]{1,12}$/);
    const anyNeeds = fc.record({
      skills: fc.array(word, { maxLength: 3 }),
      labels: fc.dictionary(fc.stringMatching(/^[a-z]{1,5}$/), word, { maxKeys: 2 }),
    });
    fc.assert(
      fc.property(
        fc.oneof(word, fc.constant("*")),
        anyNeeds,
        fc.array(word, { maxLength: 3 }),
        (recipient, needs, limits) => {
          const words = writeNeeds(needs);
          const routed = {
            recipient,
            ...(words === undefined ? {} : { needs: words }),
            ...(limits.length === 0 ? {} : { limits }),
          };
          expect(readRoute(routeOf(routed))).toEqual(routed);
        },
      ),
      { numRuns: 1_000 },
    );
  });
});
