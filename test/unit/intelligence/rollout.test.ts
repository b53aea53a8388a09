import { describe, expect, it } from "vitest";
import {
  ArmOutcomes,
  type OutcomeInput,
  OutcomeReport,
  type RollbackRule,
} from "../../../src/core/intelligence/rollout/api.ts";
import { armOutcomeOf } from "../../../src/core/intelligence/rollout/arm-outcome.ts";
import { AskerState } from "../../../src/core/intelligence/rollout/asker-state.ts";
import { healthOf } from "../../../src/core/intelligence/rollout/health.ts";
import { Rollout } from "../../../src/core/intelligence/rollout/rollout.ts";
import { isInShare } from "../../../src/core/intelligence/stable-share.ts";

const T0 = Date.UTC(2026, 0, 31);
const MINUTE = 60_000;

let number = 0;
const reportOf = (version: number, arms: Omit<Partial<OutcomeInput>, "version">): OutcomeReport =>
  OutcomeReport.parse({ reporter: "r", number: ++number, version, ...arms });

/** Requests of one arm that took so long. */
const requests = (counts: Record<string, number>, ms = 20, confidence = 0.95) => {
  const { successes = 0, timeouts = 0, errors = 0, fallbacks = 0 } = counts;
  const all = successes + timeouts + errors + fallbacks;
  return {
    ...counts,
    latency_ms: [[ms, all] as [number, number]],
    confidence: { sum: all * confidence, squares: all * confidence ** 2 },
  };
};

describe("the share of the roll-out", () => {
  const keys = Array.from({ length: 10_000 }, (_, key) => `service-${key}`);
  const chosen = (percent: number) => new Set(keys.filter((key) => isInShare(key, percent)));

  it("of 10 % is 10 % ± 1 of 10,000 keys, all of them among those of 50 %", () => {
    const [ten, fifty] = [chosen(10), chosen(50)];
    expect(Math.abs(ten.size - 1_000)).toBeLessThanOrEqual(100);
    expect(Math.abs(fifty.size - 5_000)).toBeLessThanOrEqual(100);
    expect([...ten].filter((key) => !fifty.has(key))).toEqual([]);
    expect([chosen(0).size, chosen(100).size]).toEqual([0, 10_000]);
  });
});

describe("the roll-out", () => {
  const good = requests({ successes: 100 });
  const RULES: [RollbackRule, ReturnType<typeof requests>, number, number][] = [
    ["correlation_mismatch", requests({ successes: 99, errors: 1, mismatches: 1 }), 1, 0],
    ["corrupted_data", requests({ successes: 99, errors: 1, corrupted: 1 }), 1, 0],
    ["connection_errors", requests({ successes: 89, fallbacks: 11, connection_errors: 11 }), 11, 10],
    ["fallback", requests({ successes: 79, fallbacks: 21 }), 21, 20],
    ["success", requests({ successes: 89, errors: 11 }), 89, 90],
    ["latency", requests({ successes: 100 }, 600), 600, 500],
  ];

  it.each(RULES)("goes back by itself, and says so, for %s", (rule, live, value, limit) => {
    const rollout = new Rollout();
    rollout.set({ share: 50 }, "ada", T0);
    const { rolledBack } = rollout.take(reportOf(1, { live }), T0 + 1_000);
    expect(rolledBack).toMatchObject({ rule, limit, share_before: 50 });
    expect(Math.abs((rolledBack?.value ?? 0) / value - 1)).toBeLessThan(0.02);
    expect(rollout.state).toMatchObject({ share: 0, version: 2, by: null, rolled_back: { rule } });
  });

  it("stays at the limits, and with nothing but successes", () => {
    const arms = [
      good,
      requests({ successes: 90, errors: 10 }),
      requests({ successes: 90, fallbacks: 10, connection_errors: 10 }),
      requests({ successes: 100 }, 490),
    ];
    for (const live of arms) {
      const rollout = new Rollout();
      expect(rollout.take(reportOf(0, { live }), T0).rolledBack).toBeUndefined();
      expect(rollout.state.share).toBe(100);
    }
  });

  it("judges rates from 20 requests on, and a mix-up on the first request", () => {
    const rollout = new Rollout();
    const failing = requests({ errors: 19 });
    expect(rollout.take(reportOf(0, { live: failing }), T0).rolledBack).toBeUndefined();
    expect(rollout.take(reportOf(0, { live: requests({ errors: 1 }) }), T0).rolledBack).toMatchObject({ requests: 20 });
    const other = new Rollout();
    const first = requests({ errors: 1, mismatches: 1 });
    expect(other.take(reportOf(0, { live: first }), T0).rolledBack).toMatchObject({ requests: 1 });
  });

  it("judges the last five minutes, and the live arm alone", () => {
    const rollout = new Rollout();
    rollout.take(reportOf(0, { live: requests({ errors: 19 }) }), T0);
    const library = requests({ errors: 100 });
    expect(rollout.take(reportOf(0, { library }), T0).rolledBack).toBeUndefined();
    const later = T0 + 6 * MINUTE;
    expect(rollout.take(reportOf(0, { live: requests({ successes: 20 }) }), later).rolledBack).toBeUndefined();
    expect(rollout.view(later).arms.live).toMatchObject({ requests: 20, success_percent: 100 });
  });

  it("names every rule that is broken, the one that says most of the cause first", () => {
    const rollout = new Rollout();
    const live = requests({ successes: 50, fallbacks: 50, connection_errors: 50 }, 600);
    const { rolledBack } = rollout.take(reportOf(0, { live }), T0);
    expect(rolledBack?.rules.map(({ rule }) => rule)).toEqual(["connection_errors", "fallback", "success", "latency"]);
    expect(rolledBack?.rule).toBe("connection_errors");
  });

  it("stays at 0 until somebody raises it, and does not judge again what was decided before", () => {
    const rollout = new Rollout();
    const bad = requests({ errors: 20, mismatches: 1 });
    expect(rollout.take(reportOf(0, { live: bad }), T0).rolledBack).toBeDefined();
    expect(rollout.take(reportOf(0, { live: bad }), T0).rolledBack).toBeUndefined();
    rollout.set({ share: 10 }, "ada", T0 + 1_000);
    expect(rollout.state).toMatchObject({ share: 10, version: 2, rolled_back: null, by: "ada" });
    // Asked before the rollback, reported after the repair.
    expect(rollout.take(reportOf(1, { live: bad }), T0 + 2_000).rolledBack).toBeUndefined();
    expect(rollout.take(reportOf(2, { live: requests({ successes: 20 }) }), T0 + 3_000).rolledBack).toBeUndefined();
    // Raised again without a rollback in between: evidence of both shares counts.
    rollout.set({ share: 50 }, "ada", T0 + 4_000);
    expect(rollout.take(reportOf(2, { live: bad }), T0 + 5_000).rolledBack).toMatchObject({ share_before: 50 });
  });

  it("is rolled back by hand", () => {
    const rollout = new Rollout();
    expect(rollout.rollBack("strange answers", "ada", T0)).toMatchObject({
      rule: "by_hand",
      value: null,
      share_before: 100,
    });
    expect(rollout.state).toMatchObject({ share: 0, by: "ada", note: "strange answers" });
  });

  it("is not changed by somebody who read another version", () => {
    const rollout = new Rollout();
    expect(rollout.set({ share: 10, version: 0 }, "ada", T0)).toMatchObject({ share: 100 });
    expect(rollout.set({ share: 50, version: 0 }, "bob", T0)).toBeUndefined();
    expect(rollout.state).toMatchObject({ share: 10, by: "ada" });
  });

  it("goes on from what was stored", () => {
    const before = new Rollout();
    before.set({ share: 50 }, "ada", T0);
    const { slice } = before.take(reportOf(1, { live: good, library: requests({ successes: 7 }, 3, 0.7) }), T0);
    const after = new Rollout(JSON.parse(JSON.stringify(before.stored)));
    after.evidence.restore(slice, JSON.parse(JSON.stringify(before.evidence.stored(slice))));
    expect(after.view(T0 + 1)).toEqual(before.view(T0 + 1));
    expect(after.view(T0 + 1).arms).toMatchObject({
      live: { requests: 100 },
      library: { requests: 7, confidence: 0.7 },
    });
  });

  it("forgets evidence after an hour", () => {
    const rollout = new Rollout();
    rollout.take(reportOf(0, { live: good }), T0);
    rollout.evidence.forget(T0 + 61 * MINUTE);
    expect(healthOf(rollout.evidence, T0).requests).toBe(0);
  });
});

describe("the comparison of both arms", () => {
  const compared = (live: ReturnType<typeof requests>, library: ReturnType<typeof requests>) => {
    const rollout = new Rollout();
    rollout.take(reportOf(0, { live, library }), T0);
    const { metrics } = rollout.view(T0).comparison;
    return Object.fromEntries(metrics.map((one) => [one.metric, one]));
  };

  it("finds the arm that fails less, is faster, and is trusted more", () => {
    const found = compared(requests({ successes: 130, errors: 70 }, 40), requests({ successes: 200 }, 2, 0.7));
    expect(found.success_percent).toMatchObject({ verdict: "library_better", live: 65, library: 100 });
    expect(found.latency_ms).toMatchObject({ verdict: "library_better" });
    expect(found.confidence).toMatchObject({ verdict: "live_better", live: 0.95, library: 0.7 });
    expect(found.success_percent?.p_value).toBeLessThan(0.01);
  });

  it("finds no difference between equals, and gives no verdict on ten requests and fewer", () => {
    const same = compared(requests({ successes: 200 }), requests({ successes: 200 }));
    expect(Object.values(same).map(({ verdict }) => verdict)).toEqual([
      "no_difference",
      "no_difference",
      "no_difference",
    ]);
    const few = compared(requests({ successes: 9 }), requests({ successes: 200 }));
    expect(Object.values(few).map(({ verdict }) => verdict)).toEqual(["too_few", "too_few", "too_few"]);
  });
});

describe("a report", () => {
  it.each([
    [{ live: { successes: 1, mismatches: 2 } }, "live.mismatches"],
    [{ live: { successes: 1, latency_ms: [[1, 2]] } }, "live.latency_ms"],
    [{ live: { successes: 1, confidence: { sum: 2, squares: 1 } } }, "live.confidence"],
    [{ live: { successes: -1 } }, "live.successes"],
    [{ live: { succeses: 1 } }, "live"],
    [{ reporter: "a b" }, "reporter"],
  ])("%j is refused at %s", (wrong, path) => {
    const read = OutcomeReport.safeParse({ reporter: "r", number: 1, version: 0, ...wrong });
    expect(read.error?.issues[0]?.path.join(".")).toBe(path);
  });
});

describe("what an asker holds", () => {
  const outcomes = ArmOutcomes.parse({ successes: 1, latency_ms: [[20, 1]] });

  it("reports each request once, by the version that decided it", () => {
    const asker = new AskerState("r");
    asker.add("live", outcomes);
    asker.add("library", outcomes);
    asker.learn({ share: 10, version: 1 });
    asker.add("live", outcomes);
    const first = asker.next();
    expect(first).toMatchObject({ number: 1, version: 0, live: { successes: 1 }, library: { successes: 1 } });
    // Not confirmed: it goes again as it is.
    asker.add("live", outcomes);
    expect(asker.next()).toBe(first);
    asker.confirmed(first);
    const second = asker.next();
    expect(second).toMatchObject({ number: 2, version: 1, live: { successes: 2 } });
    expect(second).not.toHaveProperty("library");
    asker.confirmed(second);
    expect(asker.owes).toBe(false);
    expect(asker.next()).toEqual({ reporter: "r", number: 3, version: 1 });
  });

  it("is not set back by a state that came late", () => {
    const asker = new AskerState("r");
    expect(asker.learn({ share: 0, version: 5 })).toBe(true);
    expect(asker.learn({ share: 50, version: 4 })).toBe(false);
    expect(asker.share).toBe(0);
    expect(asker.learn({ share: 50, version: 4 }, true)).toBe(true);
    expect(asker.share).toBe(50);
  });

  const context = { production_examples: [], confidence_score: 0.7, duration_ms: 3 };
  it.each([
    [null, 12, { arm: "live", outcomes: { successes: 1, latency_ms: [[12, 1]] } }],
    ["timeout", 5_000, { arm: "live", outcomes: { timeouts: 1 } }],
    ["connection_failed", 2, { arm: "live", outcomes: { fallbacks: 1, connection_errors: 1 } }],
    ["no_responder", 2, { arm: "live", outcomes: { fallbacks: 1, connection_errors: 0 } }],
    ["correlation_mismatch", 2, { arm: "live", outcomes: { errors: 1, mismatches: 1, corrupted: 0 } }],
    ["unreadable_answer", 2, { arm: "live", outcomes: { errors: 1, mismatches: 0, corrupted: 1 } }],
    ["not_in_share", undefined, { arm: "library", outcomes: { successes: 1, latency_ms: [[3, 1]] } }],
    ["live_off", undefined, undefined],
    ["no_client", undefined, undefined],
  ] as const)("counts the reason %s after %s ms in its arm", (fallback_reason, liveMs, expected) => {
    const measured = armOutcomeOf({ ...context, fallback_reason }, liveMs);
    if (expected === undefined) expect(measured).toBeUndefined();
    else expect(measured).toMatchObject(expected);
  });
});
