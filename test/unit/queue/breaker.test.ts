import { describe, expect, it, test } from "vitest";
import type { BreakerSettings } from "../../../src/core/queue/breaker.ts";
import { breakerOpen, refusalOf } from "../../../src/core/queue/breaker-status.ts";
import { CallBreakers } from "../../../src/core/queue/call-breakers.ts";
import { DEFAULT_SETTINGS, QueueSettings, SETTINGS_WITH_BREAKERS } from "../../../src/core/queue/queue-settings.ts";
import fc from "../../fast-check.ts";
import { anEnd, anyBreakerHistory, BreakersUnderTest, ModelBreaker } from "./breaker-model.ts";

const settings = (change: Partial<BreakerSettings> = {}): BreakerSettings => ({
  ...SETTINGS_WITH_BREAKERS,
  breaker_rate: null,
  ...change,
});

const T = 1_000_000;
const aCall = (id: string, beganMs = T, timeoutMs = 5_000) => ({ id, beganMs, endsMs: beganMs + timeoutMs });

/** Breakers of which `count` calls failed one after the other. */
function failing(count: number, change: Partial<BreakerSettings> = {}) {
  const under = new BreakersUnderTest(settings(change));
  for (let n = 0; n < count; n++) fail(under, `f${n}`);
  return under;
}

function fail(under: BreakersUnderTest, id: string, end: Parameters<typeof anEnd>[2] = "error", nowMs = T) {
  const call = aCall(id, nowMs);
  under.breakers.admit("oracle", call, nowMs);
  under.breakers.finished(anEnd(call, nowMs, end), nowMs);
  under.drain();
}

describe("the breaker of a recipient", () => {
  for (const [name, change] of [
    ["by failures in a row", {}],
    ["by the first failure", { breaker_failures: 1 }],
    ["by a share of the calls", { breaker_failures: null, breaker_rate: 0.5, breaker_calls: 4 }],
    [
      "by both, without a longer wait",
      { breaker_failures: 3, breaker_rate: 1, breaker_calls: 2, breaker_open_max_ms: 1 },
    ],
  ] as const satisfies readonly (readonly [string, Partial<BreakerSettings>])[]) {
    test(`agrees with the model whatever happened before, opening ${name}`, () => {
      const setup = () => ({
        model: new ModelBreaker(settings(change)),
        real: new BreakersUnderTest(settings(change)),
      });
      fc.assert(
        fc.property(anyBreakerHistory, (history) => fc.modelRun(setup, history)),
        { numRuns: name === "by failures in a row" ? 1_000 : 250 },
      );
    });
  }

  it("opens with the fifth failure in a row, and not with the fourth", () => {
    expect(failing(4).state).toBe("closed");
    expect(failing(5).state).toBe("open");
  });

  it("counts anew after an answer, and takes a refusal by the responder for one", () => {
    const under = failing(4);
    fail(under, "a", "answered");
    for (let n = 0; n < 4; n++) fail(under, `g${n}`, "no_listener");
    fail(under, "b", "refused");
    for (let n = 0; n < 4; n++) fail(under, `h${n}`);
    expect(under.state).toBe("closed");
  });

  it("lets one call through after its time, and no other before that has ended", () => {
    const { breakers } = failing(5);
    const at = (id: string, ms: number) => breakers.admit("oracle", aCall(id, ms), ms);
    expect(at("early", T + 9_999)).toMatchObject({ nextProbeMs: T + 10_000 });
    expect(at("probe", T + 10_000)).toBeUndefined();
    for (const ms of [10_000, 14_999]) expect(at("other", T + ms)).toMatchObject({ nextProbeMs: T + 15_000 });
  });

  it("is asked again within an open time while a long probe is under way", () => {
    const { breakers } = failing(5);
    expect(breakers.admit("oracle", aCall("probe", T + 10_000, 60_000), T + 10_000)).toBeUndefined();
    expect(breakers.admit("oracle", aCall("other", T + 11_000), T + 11_000)).toMatchObject({ nextProbeMs: T + 21_000 });
  });

  it("waits twice as long after each probe that fails, up to the longest time", () => {
    const under = failing(5);
    const waits: number[] = [];
    let ms = T + 10_000;
    for (let n = 0; n < 5; n++) {
      fail(under, `p${n}`, "error", ms);
      const wait = under.breakers.admit("oracle", aCall("x", ms), ms);
      waits.push((wait?.nextProbeMs ?? 0) - ms);
      ms = wait?.nextProbeMs ?? 0;
    }
    expect(waits).toEqual([20_000, 40_000, 60_000, 60_000, 60_000]);
  });

  it("gives the place of a probe that was cancelled or not queued to the next call", () => {
    const under = failing(5);
    fail(under, "cancelled", "cancelled", T + 10_000);
    expect(under.state).toBe("open");
    expect(under.breakers.admit("oracle", aCall("full"), T + 10_000)).toBeUndefined();
    under.breakers.withdraw("full", T + 10_000);
    expect(under.breakers.admit("oracle", aCall("probe"), T + 10_000)).toBeUndefined();
  });

  it("does not close by the late answer of a call that was under way when it opened", () => {
    const under = new BreakersUnderTest(settings());
    const slow = aCall("slow", T, 60_000);
    under.breakers.admit("oracle", slow, T);
    for (let n = 0; n < 5; n++) fail(under, `f${n}`);
    under.breakers.finished(anEnd(slow, T + 1, "answered"), T + 1);
    expect(under.state).toBe("open");
  });

  it("does not count the failure of a call that began before it closed", () => {
    const under = new BreakersUnderTest(settings({ breaker_failures: 1 }));
    const slow = aCall("slow", T, 60_000);
    under.breakers.admit("oracle", slow, T);
    fail(under, "f");
    fail(under, "probe", "answered", T + 10_000);
    under.breakers.finished(anEnd(slow, T + 10_001, "error"), T + 10_001);
    expect(under.state).toBe("closed");
  });

  it("reports each change once, with the reason and the time of the next probe", () => {
    const under = failing(5);
    fail(under, "probe", "timeout", T + 10_000);
    fail(under, "again", "answered", T + 30_000);
    const reason = "5 calls in a row failed; the last one met a responder that failed";
    expect(under.changes).toMatchObject([
      { state: "opened", reason, nextProbeMs: T + 10_000, probe: null },
      { state: "probe", reason, nextProbeMs: null, probe: "probe" },
      { state: "opened", reason: "a probe met a responder that failed", nextProbeMs: T + 30_000, sinceMs: T },
      { state: "probe", probe: "again" },
      { state: "closed", sinceMs: T, probe: "again" },
    ]);
  });

  it("stores nothing for calls that are answered, however many", () => {
    const under = new BreakersUnderTest(settings());
    for (let n = 0; n < 100; n++) fail(under, `a${n}`, "answered");
    expect([under.writes, under.changes]).toEqual([0, []]);
  });

  it("is one for each recipient", () => {
    const { breakers } = failing(5);
    expect(breakers.admit("other", aCall("o"), T)).toBeUndefined();
  });

  it("watches a thousand recipients, and keeps those that are open", () => {
    const under = failing(5);
    for (let n = 0; n < 1_500; n++) under.breakers.admit(`made-up-${n}`, aCall(`m${n}`), T);
    expect(under.state).toBe("open");
  });

  it("waits no longer because the clock was set back", () => {
    const { breakers } = failing(5);
    expect(breakers.admit("oracle", aCall("x", 0), 0)).toMatchObject({ nextProbeMs: 10_000 });
    expect(breakers.admit("oracle", aCall("probe", 10_000), 10_000)).toBeUndefined();
    expect(breakers.admit("oracle", aCall("y", -T), -T)).toMatchObject({ nextProbeMs: -T + 20_000 });
  });

  it("ends when the queue's settings switch it off, and leaves nothing stored", () => {
    const under = failing(5);
    let current: BreakerSettings = settings();
    under.breakers = new CallBreakers(
      () => current,
      [...under.stored].map(([recipient, state]) => [recipient, JSON.parse(state)] as const),
    );
    current = DEFAULT_SETTINGS;
    expect(under.breakers.admit("oracle", aCall("x"), T)).toBeUndefined();
    under.drain();
    expect([under.state, under.stored.size]).toEqual(["closed", 0]);
  });
});

describe("a call that is refused by a breaker", () => {
  const wait = {
    reason: "5 calls in a row failed; the last one had no answer in time",
    sinceMs: T,
    nextProbeMs: T + 4_000,
  };

  it("is told the reason and the time of the next probe", () => {
    expect(breakerOpen(refusalOf("oracle", wait, null, T))).toMatchObject({
      type: "/problems/breaker-open",
      status: 503,
      recipient: "oracle",
      reason: wait.reason,
      next_probe_at: new Date(T + 4_000).toISOString(),
      retry_after_ms: 4_000,
    });
  });

  it.each([1, -0.1])("is never answered by a fallback of the confidence %d", (confidence) => {
    const breaker_fallback = { result: 1, source: "cache", confidence };
    expect(QueueSettings.safeParse({ ...DEFAULT_SETTINGS, breaker_fallback }).success).toBe(false);
  });
});
