import { expect, vi } from "vitest";
import { call, post } from "../api/calls.ts";
import { allOf, anObservation, deadLettersOf, logOf, observationsOf, untilPolicy } from "../log-under-test.ts";
import { patience } from "../patience.ts";
import { putRule, read } from "../policy/policies-under-test.ts";
import { webhooksOf } from "../webhooks/webhooks-under-test.ts";
import { placesOf } from "./erasure-under-test.ts";

export const SOURCE = "anna-5f3c";
export const SECRET = "secret-fact-77";
export const HOST = { name: "gpu-01.0a1b2c3d4e5f.local", first: 1, remote: true };

export const emit = async (eco: string, source: string, facts: object, more: object = {}) => {
  const answer = await post(`/v1/${eco}/signals`, { signal: "Q_ORDER", source, facts, ...more });
  expect(answer.status, await answer.clone().text()).toBe(202);
};

/** An ecosystem in which what the source said has gone wherever it can go. */
export async function filled() {
  const hooks = webhooksOf();
  const eco = hooks.ecosystem;
  await hooks.add("hook", "500");
  const rule = await putRule(eco, "orders", {
    when: "Q_ORDER",
    then: [
      { emit: { signal: "Q_ORDERED", facts: { what: "facts.text", who: "source" } } },
      { enqueue: { queue: "work", recipient: "'clerk'", type: "ORDER", payload: { what: "facts.text" } } },
      { webhook: { endpoint: "hook", body: { what: "facts.text" } } },
    ],
    expect: {
      signal: "Q_PAID",
      within: "1h",
      by: "source",
      else: [{ emit: { signal: "Q_LATE", facts: { w: "facts.text" } } }],
    },
  });
  expect(rule.ok, await rule.clone().text()).toBe(true);
  await emit(eco, "berta", { text: "hers" }, { id: "berta-1" });
  await emit(eco, SOURCE, { text: SECRET }, { id: `${SOURCE}-1` });
  await emit(eco, "berta", { text: `asked by ${SOURCE}.` }, { id: "berta-2", cause: `${SOURCE}-1` });
  await logOf(eco).append({
    producer: HOST,
    owner: "gpu-01",
    signals: [
      anObservation("pump-9", { ok: true, ttr_ms: 7, note: SECRET }, { source: SOURCE }),
      anObservation("other", { ok: true, ttr_ms: 9 }, { source: "berta" }),
      anObservation(SOURCE, { ok: false }, { source: "carla" }),
    ],
  });
  await deadLettersOf(eco).record([
    { id: "d1", kind: "signal", signal: { source: SOURCE, facts: { a: SECRET } }, error: "e", daemon: "test" },
    { id: "d2", kind: "signal", signal: { source: "berta", facts: {} }, error: "e", daemon: "test" },
  ]);
  const keyed = { signal: "Q_KEYED", source: SOURCE, facts: {}, id: `${SOURCE}-keyed` };
  await post(`/v1/${eco}/signals`, keyed, { headers: { "Idempotency-Key": "k-1" } });
  await call(`/v1/${eco}/policies/${SOURCE}`, { method: "DELETE" });
  await call(`/v1/${eco}/webhooks/${SOURCE}`, { method: "DELETE" });
  await untilPolicy(eco, (await logOf(eco).reached()).head_seq);
  await observationsOf(eco).catchUp((await logOf(eco).reached()).head_seq);
  await vi.waitFor(async () => {
    expect(await read(`/v1/${eco}/queues/work`)).toMatchObject({ depth: 3 });
    expect((await hooks.deliveries("hook")).length).toBe(3);
    expect((await allOf(eco)).filter(({ signal }) => signal === "Q_ORDERED").length).toBe(3);
  }, patience);
  return { eco, hooks };
}

/** Nothing of the source is left on the disk or in memory of an ecosystem that was {@link filled}. */
export async function expectErased(eco: string, hooks: ReturnType<typeof webhooksOf>): Promise<void> {
  const window = await observationsOf(eco).observations({ seconds: 600, limit: 10 });
  expect(window.observations.map(({ zooid_name }) => zooid_name)).toEqual(["other"]);
  expect(await read(`/v1/${eco}/queues/work`)).toMatchObject({ depth: 2 });
  expect((await hooks.deliveries("hook")).length).toBe(2);
  const letters = await read<{ dead_letters: { id: string }[] }>(`/v1/${eco}/dead-letters`);
  expect(letters.dead_letters.map(({ id }) => id)).toContain("d2");
  // What objects had in memory alone they write when they work on.
  await emit(eco, "berta", { text: "after" });
  await untilPolicy(eco, (await logOf(eco).reached()).head_seq);
  expect(await placesOf(eco, ["work"], [SOURCE, SECRET])).toEqual([]);
}
