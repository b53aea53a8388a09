import { evictDurableObject, runInDurableObject } from "cloudflare:test";
import { describe, expect, test } from "vitest";
import { call } from "../api/calls.ts";
import {
  allOf,
  anObservation,
  aSignal,
  deadLettersOf,
  follow,
  logOf,
  observationsOf,
  policyOf,
} from "../log-under-test.ts";

const busy = (count: number, cpu = 97) => ({
  signals: Array.from({ length: count }, () => anObservation("host/a", { cpu_percent: cpu })),
});

async function observed(eco: string) {
  const window = await observationsOf(eco).observations({ seconds: 300, limit: 10_000 });
  const gaps = await observationsOf(eco).gaps("all");
  return { window, gaps: gaps.map(({ last_seen_at: _, ...gap }) => gap) };
}

async function decided(eco: string) {
  const { decisions } = await policyOf(eco).decisions({ limit: 1_000 });
  const kept = await runInDurableObject(policyOf(eco), (_, state) =>
    JSON.stringify([...state.storage.sql.exec("SELECT * FROM rule_state")]),
  );
  return { decisions, kept };
}

/** A gap that came and went, one that is open, a dream under way. */
async function aHistory(eco: string): Promise<void> {
  const stream = await follow(eco, ["CAPABILITY_GAP*", "Q_CURIOSITY_INVESTIGATE", "Q_DREAM_TRIGGER"]);
  await logOf(eco).append(busy(6));
  await stream.next();
  await stream.next();
  await logOf(eco).append(busy(12, 1));
  await stream.next();
  const other = Array.from({ length: 5 }, () => anObservation("host/b", { gpu_utilization: 3 }));
  await logOf(eco).append({ signals: other });
  await stream.next();
  await stream.next();
  await logOf(eco).append({ signals: [aSignal("Q_PROMOTIONS_DETECTED", { promotion_count: 2 })] });
  await stream.next();
  const head = (await logOf(eco).status()).head_seq;
  await Promise.all([observationsOf(eco).catchUp(head), policyOf(eco).catchUp(head)]);
}

describe("a projection", () => {
  test("rebuilt from the log is what it was, and emits nothing again", async () => {
    const eco = "rebuild";
    await aHistory(eco);
    const before = { observed: await observed(eco), decided: await decided(eco), log: (await allOf(eco)).length };
    expect(before.observed.gaps.map(({ status }) => status).sort()).toEqual(["open", "resolved"]);
    await observationsOf(eco).rebuild();
    await policyOf(eco).rebuild();
    expect({ observed: await observed(eco), decided: await decided(eco), log: (await allOf(eco)).length }).toEqual(
      before,
    );

    await logOf(eco).append({ signals: [aSignal("Q_PROMOTIONS_DETECTED", { promotion_count: 2 })] });
    await policyOf(eco).catchUp((await logOf(eco).status()).head_seq);
    expect((await decided(eco)).decisions[0]).toMatchObject({ rule: "promotions-to-dream", outcome: "suppressed" });
  });

  test("that lost its memory is what it was", async () => {
    const eco = "evicted";
    await aHistory(eco);
    const before = { observed: await observed(eco), decided: await decided(eco) };
    await evictDurableObject(observationsOf(eco));
    await evictDurableObject(policyOf(eco));
    expect({ observed: await observed(eco), decided: await decided(eco) }).toEqual(before);
  });

  test("keeps a signal that it cannot take in as a dead letter, and takes in its neighbours", async () => {
    const eco = "poisoned";
    const poison = aSignal("OBSERVATION", { nobody: true });
    await logOf(eco).append({ signals: [anObservation("r", {}), poison, anObservation("r", {})] });
    await observationsOf(eco).catchUp(3);
    expect((await observationsOf(eco).observations({ seconds: 300, limit: 10 })).size).toBe(2);
    const letters = deadLettersOf(eco);
    await expect
      .poll(async () => (await letters.list({ limit: 5 })).dead_letters)
      .toMatchObject([
        { id: "observations.2", error: expect.stringContaining("facts.zooid"), daemon: "ganglion/observations" },
      ]);
  });

  test("asked to catch up with a place that the log has not reached stays where the log ends", async () => {
    const eco = "too-far";
    await logOf(eco).append(busy(2));
    expect(await observationsOf(eco).catchUp(1_000)).toBe(2);
  });

  test("is behind by what concerns it and is not taken in, however far the log goes on", async () => {
    const eco = "behind";
    await logOf(eco).append({ signals: [aSignal("Q_NOBODYS", {}), anObservation("r", {}), aSignal("Q_NOBODYS", {})] });
    const [, { received_at: receivedAt } = { received_at: "" }] = await allOf(eco);
    const behind = async (observations: number) => (await logOf(eco).status({ observations })).undelivered.observations;
    expect(await behind(0)).toMatchObject({ oldest_undelivered_at: receivedAt });
    expect((await behind(0))?.lag).toBeGreaterThanOrEqual(2);
    for (const cursor of [2, 3, 9]) expect(await behind(cursor)).toEqual({ lag: 0, oldest_undelivered_at: null });
    await observationsOf(eco).catchUp(3);
    const status = await (await call(`/v1/${eco}/status`)).json();
    expect(status).toMatchObject({
      log: { heap: [{ kind: "ids" }, { kind: "producers" }] },
      projections: {
        observations: {
          lag: 0,
          oldest_undelivered_at: null,
          database_bytes: expect.any(Number),
          heap: [{ kind: "observations", used_bytes: expect.any(Number), refused: 0 }],
        },
        policy: { heap: [{ kind: "rule_state" }] },
      },
    });
  });
});
