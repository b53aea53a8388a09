import { evictDurableObject } from "cloudflare:test";
import { describe, expect, test } from "vitest";
import { freshEcosystem, post, problemOf } from "../api/calls.ts";
import { allOf, aSignal, logOf, policyOf } from "../log-under-test.ts";
import { patience } from "../patience.ts";
import { read } from "./policies-under-test.ts";

interface Read {
  readonly decisions: readonly Record<string, unknown>[];
}

const ago = (ms: number) => new Date(Date.now() - ms).toISOString();
const MINUTE = 60_000;
const append = (eco: string, name: string, facts: object, more = {}) =>
  logOf(eco).append({ signals: [aSignal(name, { ...facts }, more)] });
const decided = async (eco: string, rule: string) => {
  await policyOf(eco).catchUp((await logOf(eco).status()).head_seq);
  return (await read<Read>(`/v1/${eco}/decisions?rule=${rule}`)).decisions;
};
const importInto = async (eco: string, rule: string, body: unknown) => {
  const answer = await post(`/v1/${eco}/policies/${rule}/state`, body);
  expect(answer.status).toBe(200);
  return (await answer.json()) as Record<string, unknown>;
};

describe("state of an older system that is imported", () => {
  test("holds a dream back until the older one ends, over evictions and rebuilds, and shows why", async () => {
    const eco = freshEcosystem();
    const since = ago(10 * MINUTE);
    await append(eco, "X_BEFORE", {}, { id: "before" });
    expect(await importInto(eco, "promotions-to-dream", { in_flight: [{ since }] })).toEqual({
      policy: "promotions-to-dream",
      in_flight: 1,
      fired: 0,
      unchanged: [],
      ignored: [],
      held_until: new Date(Date.parse(since) + 120 * MINUTE).toISOString(),
    });
    await append(eco, "Q_PROMOTIONS_DETECTED", { promotion_count: 2 });
    const held = { outcome: "suppressed", reason: `in flight since ${since} (imported by ADMIN_TOKEN)` };
    const imported = {
      outcome: "suppressed",
      reason: expect.stringMatching(/^imported by ADMIN_TOKEN: in flight since .*, until /),
      signal: { signal: "Q_POLICY_STATE_IMPORTED" },
      imported: { by: "ADMIN_TOKEN", marks: [{ kind: "in_flight", since }] },
    };
    expect(await decided(eco, "promotions-to-dream")).toMatchObject([held, imported]);
    // The record stands beside the decisions on the signal before, and is none of them.
    expect(await read<Read>(`/v1/${eco}/decisions?signal=before`)).toMatchObject({ decisions: [] });
    expect(await read<Read>(`/v1/${eco}/signals/before/lineage`)).toMatchObject({ decisions: [] });
    await evictDurableObject(policyOf(eco));
    await policyOf(eco).rebuild();
    await append(eco, "Q_PROMOTIONS_DETECTED", { promotion_count: 3 });
    expect(await decided(eco, "promotions-to-dream")).toMatchObject([held, held, imported]);
    const facts = { policy: "promotions-to-dream", in_flight: 1, fired: 0, by: "ADMIN_TOKEN" };
    const told = async () => (await allOf(eco)).filter(({ signal }) => signal === "Q_POLICY_STATE_IMPORTED");
    await expect.poll(told, patience).toMatchObject([{ source: "ganglion/policy", facts }]);
    const { entries } = await read<{ entries: unknown[] }>(`/v1/${eco}/audit`);
    expect(entries).toMatchObject([{ method: "POST", operation: "/v1/{eco}/policies/{id}/state", status: 200 }]);
    // It has ended: a second import of the same state does not begin it again.
    await append(eco, "Q_DREAM_COMPLETE", {});
    expect(await importInto(eco, "promotions-to-dream", { in_flight: [{ since }] })).toMatchObject({
      in_flight: 0,
      ignored: [{ pointer: "/in_flight/0", message: expect.stringContaining("by Q_DREAM_COMPLETE") }],
    });
    await append(eco, "Q_PROMOTIONS_DETECTED", { promotion_count: 4 });
    expect((await decided(eco, "promotions-to-dream"))[0]).toMatchObject({ outcome: "fired" });
    await policyOf(eco).rebuild();
    const triggers = async () => (await allOf(eco)).filter(({ signal }) => signal === "Q_DREAM_TRIGGER");
    await expect.poll(triggers, patience).toHaveLength(1);
  });

  test("is no question about a gap that was investigated, until the gap is resolved", async () => {
    const eco = freshEcosystem();
    const gap = (name: string) => ({
      gap_type: "t",
      gap_name: name,
      gap_category: "c",
      gap_reason: "r",
      alignment_score: 0.5,
      install_cost: 0.1,
      metadata: {},
    });
    const marks = {
      in_flight: [
        { key: "a", since: ago(60 * MINUTE) },
        { key: "b", since: ago(25 * 60 * MINUTE) },
      ],
    };
    expect(await importInto(eco, "gap-to-investigation", marks)).toMatchObject({
      in_flight: 1,
      ignored: [{ pointer: "/in_flight/1", message: expect.stringContaining("the rule keeps it for 1d at most") }],
    });
    expect(await importInto(eco, "gap-to-investigation", marks)).toMatchObject({
      in_flight: 0,
      unchanged: ["/in_flight/0"],
      held_until: null,
    });
    for (const name of ["a", "b"]) await append(eco, "CAPABILITY_GAP", gap(name));
    expect(await decided(eco, "gap-to-investigation")).toMatchObject([
      { outcome: "fired" },
      { outcome: "suppressed" },
      { imported: { marks: [{ key: "a" }] } },
    ]);
    await append(eco, "CAPABILITY_GAP_RESOLVED", gap("a"));
    await append(eco, "CAPABILITY_GAP", gap("a"));
    expect((await decided(eco, "gap-to-investigation"))[0]).toMatchObject({ outcome: "fired" });
  });

  test("is refused with the place of each error, and for a rule that does not exist", async () => {
    const eco = freshEcosystem();
    const future = new Date(Date.now() + 10 * MINUTE).toISOString();
    const refused = await problemOf(
      await post(`/v1/${eco}/policies/promotions-to-dream/state`, {
        in_flight: [{ since: future }, { since: ago(1), key: "x" }],
        fired: [{ at: ago(1) }],
      }),
    );
    expect(refused).toMatchObject({ status: 422, type: expect.stringContaining("invalid-state") });
    expect(refused.errors?.map(({ pointer }) => pointer)).toEqual([
      "/in_flight/0/since",
      "/in_flight/1/key",
      "/fired/0",
    ]);
    expect((await problemOf(await post(`/v1/${eco}/policies/none/state`, { fired: [{ at: ago(1) }] }))).status).toBe(
      404,
    );
    expect((await problemOf(await post(`/v1/${eco}/policies/none/state`, {}))).status).toBe(422);
    expect(await decided(eco, "promotions-to-dream")).toEqual([]);
  });
});
