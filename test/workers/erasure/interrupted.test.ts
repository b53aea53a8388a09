import { runDurableObjectAlarm } from "cloudflare:test";
import { afterEach, describe, expect, test, vi } from "vitest";
import { type ErasedPage, type ErasureStep, ObjectErasure } from "../../../src/durable-objects/shell/object-erasure.ts";
import { crash } from "../crash.ts";
import { logOf } from "../log-under-test.ts";
import { patience } from "../patience.ts";
import { begin, complete, show } from "./erasure-under-test.ts";
import { expectErased, filled, SOURCE } from "./filled-ecosystem.ts";

afterEach(() => {
  vi.restoreAllMocks();
});

/** Does something when an object has done a step of an erasure, before the log gets its answer. */
function afterEachStep(
  then: (step: ErasureStep, page: ErasedPage, object: ObjectErasure) => void | Promise<void>,
): void {
  const { step } = ObjectErasure.prototype;
  // A call may answer later, as every call between objects may.
  const slow = function (this: ObjectErasure, asked: ErasureStep): unknown {
    const page = step.call(this, asked);
    const done = then(asked, page, this);
    return done === undefined ? page : done.then(() => page);
  };
  vi.spyOn(ObjectErasure.prototype, "step").mockImplementation(slow as typeof step);
}

describe("the erasure of a source", () => {
  test("goes on where crashes ended it among the other objects, each before it was known what the object had erased", async () => {
    const { eco, hooks } = await filled();
    const crashes = { wanted: 8, reached: 0, had: 0 };
    afterEachStep(async ({ do: kind }) => {
      if (kind !== "erase" || crashes.reached === crashes.wanted) return;
      const reached = ++crashes.reached;
      while (crashes.had < reached) await scheduler.wait(2);
    });
    const begun = await begin(eco, SOURCE);
    for (let crashed = 1; crashed <= crashes.wanted; crashed++) {
      await vi.waitFor(async () => {
        await runDurableObjectAlarm(logOf(eco));
        expect(crashes.reached).toBe(crashed);
      }, patience);
      await crash(logOf(eco));
      crashes.had = crashed;
    }
    await complete(eco, begun);
    await expectErased(eco, hooks);
  });

  test("starts an object anew also where the answer was lost that it has erased something", async () => {
    const { eco, hooks } = await filled();
    const unanswered = new Set<ObjectErasure>();
    afterEachStep((_, { rows }, object) => {
      if (rows === 0 || unanswered.has(object)) return;
      unanswered.add(object);
      throw new Error("the answer was lost");
    });
    const warned = vi.spyOn(console, "warn").mockReturnValue();
    const begun = await begin(eco, SOURCE);
    await vi.waitFor(async () => {
      await runDurableObjectAlarm(logOf(eco));
      expect(await show(eco, begun.id)).toMatchObject({ state: "complete" });
    }, patience);
    expect(unanswered.size).toBeGreaterThan(3);
    expect(warned).toHaveBeenCalledTimes(unanswered.size);
    await expectErased(eco, hooks);
  });
});
