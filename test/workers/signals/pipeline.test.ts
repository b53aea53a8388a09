import { describe, expect, test } from "vitest";
import {
  anObservation,
  aSignal,
  deadLettersOf,
  follow,
  logOf,
  policyOf,
  queueOf,
  untilPolicy,
} from "../log-under-test.ts";

describe("from a signal to its decision", () => {
  test("a busy processor becomes a gap, the gap an investigation, each exactly once, and it resolves", async () => {
    const eco = "pipeline-gap";
    const stream = await follow(eco, ["CAPABILITY_GAP*", "Q_*"]);
    await logOf(eco).append({ signals: Array.from({ length: 6 }, () => anObservation("host/a", { cpu_percent: 95 })) });
    const gap = await stream.next();
    const trigger = await stream.next();
    expect(gap).toMatchObject({ signal: "CAPABILITY_GAP", facts: { gap_name: "cpu_bottleneck_host/a" } });
    expect(trigger).toMatchObject({ signal: "Q_CURIOSITY_INVESTIGATE", cause: gap.id, depth: 2 });
    expect(trigger.trace?.slice(3, 35)).toBe(gap.trace?.slice(3, 35));

    await logOf(eco).append({ signals: Array.from({ length: 12 }, () => anObservation("host/a", { cpu_percent: 5 })) });
    expect(await stream.next()).toMatchObject({ signal: "CAPABILITY_GAP_RESOLVED", cause: gap.id });
    expect(stream.waiting).toEqual([]);
    await untilPolicy(eco, trigger.seq);
    const { decisions } = await policyOf(eco).decisions({ limit: 10 });
    expect(decisions).toMatchObject([
      { rule: "investigation", outcome: "fired", signal: { id: trigger.id } },
      { rule: "gap-to-investigation", outcome: "fired", effects: [trigger.id] },
    ]);
    const [task = ""] = decisions[0]?.effects ?? [];
    await expect
      .poll(async () => JSON.parse((await queueOf(eco, "investigations").task(task)) ?? "null"), { timeout: 45_000 })
      .toMatchObject({ recipient: "investigator", payload: trigger });
  });

  test("promotions trigger one dream at a time", async () => {
    const eco = "pipeline-dream";
    const stream = await follow(eco, ["Q_DREAM_TRIGGER"]);
    const promotions = aSignal("Q_PROMOTIONS_DETECTED", { promotion_count: 3 });
    await logOf(eco).append({ signals: [promotions, promotions] });
    expect(await stream.next()).toMatchObject({
      facts: { reason: "unacknowledged_promotions_detected", topic: null, promotion_count: 3 },
    });
    await logOf(eco).append({ signals: [aSignal("Q_DREAM_COMPLETE", {}), promotions] });
    await stream.next();
    expect(stream.waiting).toEqual([]);
    const { decisions } = await policyOf(eco).decisions({ limit: 10 });
    expect(decisions.map(({ outcome }) => outcome)).toEqual(["fired", "suppressed", "fired"]);
  });

  test("a rule that cannot read a signal leaves a dead letter, and its neighbours are decided on", async () => {
    const eco = "pipeline-poison";
    const stream = await follow(eco, ["Q_DREAM_TRIGGER"]);
    const poison = aSignal("Q_PROMOTIONS_DETECTED", { promotion_count: "three" });
    await logOf(eco).append({ signals: [poison, aSignal("Q_PROMOTIONS_DETECTED", { promotion_count: 3 })] });
    await stream.next();
    await untilPolicy(eco, 2);
    const letters = deadLettersOf(eco);
    await expect.poll(async () => (await letters.list({ limit: 10 })).dead_letters.length).toBe(1);
    const [letter] = (await letters.list({ limit: 10 })).dead_letters;
    expect(letter).toMatchObject({
      kind: "signal",
      daemon: "ganglion/policy",
      signal: { facts: { promotion_count: "three" } },
    });
  });
});
