import { evictDurableObject, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { describe, expect, test, vi } from "vitest";
import type { AppendRequest } from "../../../src/core/signals/api.ts";
import { ZONE_SEGMENTS } from "../../../src/core/signals/log/zone.ts";
import type { Signal } from "../../../src/core/signals/signal.ts";
import { ErasureObjects } from "../../../src/durable-objects/signals/erasure-objects.ts";
import { ecosystemObjects } from "../../../src/workers/bindings/ecosystem-objects.ts";
import { directory } from "../../../src/workers/bindings/objects.ts";
import { call, freshEcosystem, post, problemOf } from "../api/calls.ts";
import { crash } from "../crash.ts";
import { allOf, aSignal, follow, logOf, untilPolicy } from "../log-under-test.ts";
import { patience } from "../patience.ts";
import { read } from "../policy/policies-under-test.ts";
import { begin, complete, exportOf, placesOf, show } from "./erasure-under-test.ts";
import { emit, expectErased, filled, HOST, SECRET, SOURCE } from "./filled-ecosystem.ts";

describe("the erasure of a source", () => {
  test("leaves nothing of it in any object, in the export, and in what is read; neighbours are as they were", async () => {
    const { eco, hooks } = await filled();
    expect((await placesOf(eco, ["work"], [SOURCE, SECRET])).length).toBeGreaterThan(8);
    const before = await allOf(eco);
    const stream = await follow(eco, ["*"], 0);
    const counted = await post(`/v1/${eco}/erasures`, { source: SOURCE, dry_run: true });
    expect([counted.status, await counted.json()]).toMatchObject([200, { signals: 3, next: null }]);

    const done = await complete(eco, await begin(eco, SOURCE));
    expect(done).toMatchObject({ through_seq: before.length, part: null });
    expect(done.source_sha256).toMatch(/^[0-9a-f]{64}$/);
    expect(done.signals).toBeGreaterThanOrEqual(3);

    expect(await placesOf(eco, ["work"], [SOURCE, SECRET])).toEqual([]);
    const exported = await exportOf(eco);
    expect([exported.includes(SOURCE), exported.includes(SECRET)]).toEqual([false, false]);

    const after = await allOf(eco);
    expect(after.slice(0, before.length).map(({ seq }) => seq)).toEqual(before.map(({ seq }) => seq));
    const own = before.filter(({ source }) => source === "berta").filter(({ cause }) => cause === undefined);
    expect(after.filter(({ source, cause }) => source === "berta" && cause === undefined)).toEqual(own);
    expect(after.find(({ facts }) => String(facts.text).startsWith("asked"))?.facts).toEqual({
      text: "asked by (erased).",
    });

    const seqs: number[] = [];
    while (seqs.length < before.length) seqs.push((await stream.next()).seq);
    expect(seqs).toEqual(before.map(({ seq }) => seq));
    stream.socket.close();

    const explained = await read<{ causes: Signal[]; decisions: unknown[] }>(`/v1/${eco}/signals/berta-1/lineage`);
    expect(JSON.stringify(explained)).toContain("Q_ORDERED");
    const chained = await read<{ causes: Signal[] }>(`/v1/${eco}/signals/berta-2/lineage`);
    expect(chained.causes).toMatchObject([{ signal: "Q_ERASED", facts: {} }]);
    const found = await read<Signal>(`/v1/${eco}/signals/${SOURCE}-1`);
    expect(found).toMatchObject({ signal: "Q_ERASED", source: "(erased)" });
    await expectErased(eco, hooks);
  });

  test("recognises its signals when they are sent again, and takes what it sends later", async () => {
    const eco = freshEcosystem();
    const batch: AppendRequest = {
      producer: HOST,
      owner: "gpu-01",
      signals: [aSignal("N", { n: 1 }, { source: SOURCE }), aSignal("N", { n: 2 }, { source: "berta" })],
    };
    await logOf(eco).append(batch);
    await emit(eco, SOURCE, { n: 3 }, { id: "mine" });
    await complete(eco, await begin(eco, SOURCE));
    for (let again = 0; again < 2; again++) {
      expect(await logOf(eco).append(batch)).toMatchObject({ accepted: 0, duplicates: 2 });
      const repeated = await post(`/v1/${eco}/signals`, {
        signal: "Q_ORDER",
        source: SOURCE,
        facts: { n: 3 },
        id: "mine",
      });
      expect(await repeated.json()).toMatchObject({ accepted: 0, duplicates: 1 });
      await evictDurableObject(logOf(eco));
    }
    await emit(eco, SOURCE, { n: 4 });
    expect((await allOf(eco)).at(-1)).toMatchObject({ source: SOURCE, facts: { n: 4 } });
  });

  test("goes on where a crash ended it, in a log with closed zones, and keeps what came meanwhile", async () => {
    const eco = freshEcosystem();
    const segments = ZONE_SEGMENTS + 80;
    for (let n = 0; n < segments; n++)
      await logOf(eco).append({
        owner: "t",
        signals: [
          aSignal(
            "N",
            { n },
            { source: n % 2 === 0 ? SOURCE : "berta", id: n % 2 === 0 ? `${SOURCE}-${n}` : `b-${n}` },
          ),
        ],
      });
    const begun = await begin(eco, SOURCE);
    await emit(eco, SOURCE, { late: true });
    await crash(logOf(eco));
    await vi.waitFor(async () => {
      const { searched_seq } = await show(eco, begun.id);
      expect(searched_seq).toBeGreaterThan(0);
    }, patience);
    await crash(logOf(eco));
    const done = await complete(eco, begun);
    expect(done.signals).toBe(segments / 2);
    const all = await allOf(eco);
    expect(all.map(({ seq }) => seq)).toEqual(Array.from({ length: segments + 1 }, (_, n) => n + 1));
    expect(all.filter(({ source }) => source === SOURCE)).toMatchObject([{ facts: { late: true } }]);
    expect(all.filter(({ source }) => source === "berta").length).toBe(segments / 2);
    expect(await logOf(eco).find("b-7")).toContain('"source":"berta"');
    expect(await logOf(eco).find(`${SOURCE}-8`)).toContain("Q_ERASED");
    const page = await read<{ signals: Signal[] }>(`/v1/${eco}/signals?signal=Q_ERASED&order=asc&limit=500`);
    expect(page.signals.length).toBe(segments / 2);
  });

  test("erases what stands in damaged rows, and goes on to recognise a host's numbers there", async () => {
    vi.spyOn(console, "error").mockReturnValue();
    const eco = freshEcosystem();
    const batch = (first: number): AppendRequest => ({
      producer: { ...HOST, first },
      owner: "gpu-01",
      signals: [aSignal("N", { first }, { source: SOURCE }), aSignal("N", { first }, { source: "berta" })],
    });
    for (const first of [1, 3, 5]) await logOf(eco).append(batch(first));
    await runInDurableObject(logOf(eco), (_, { storage: { sql } }) => {
      sql.exec("UPDATE segments_1 SET names = ? WHERE first_seq = 1", `garbage of ${SOURCE}`);
      sql.exec("UPDATE segments_1 SET names = '{', body = ? WHERE first_seq = 3", `garbage of ${SOURCE}`);
    });
    await evictDurableObject(logOf(eco));
    await complete(eco, await begin(eco, SOURCE));
    expect(await placesOf(eco, [], [SOURCE])).toEqual([]);
    expect(await logOf(eco).append(batch(5))).toMatchObject({ accepted: 0, duplicates: 2 });
    expect(await logOf(eco).append(batch(1))).toMatchObject({ accepted: 0, duplicates: 2 });
    const found = (await allOf(eco)).filter(({ signal }) => !signal.startsWith("Q_LOG"));
    expect(found.map(({ seq, source }) => [seq, source])).toEqual([
      [1, "(erased)"],
      [2, "berta"],
      [5, "(erased)"],
      [6, "berta"],
    ]);
    for (const store of await directory(env).damagedStores()) await directory(env).forgetDamage(store);
  });

  test("does not have rules decide, nor effects happen, a second time", async () => {
    const { eco } = await filled();
    await complete(eco, await begin(eco, SOURCE));
    const counts = async () => (await allOf(eco)).filter(({ signal }) => signal === "Q_ORDERED").length;
    const before = await counts();
    await emit(eco, "berta", { text: "more" });
    await untilPolicy(eco, (await logOf(eco).reached()).head_seq);
    await vi.waitFor(async () => expect(await counts()).toBe(before + 1), patience);
    const { decisions } = await read<{ decisions: { signal: { id: string } }[] }>(`/v1/${eco}/decisions?rule=orders`);
    expect(decisions.length).toBe(3);
  });
});

test("an erasure searches every object that an ecosystem has, but for those that store nothing of signals", () => {
  const eco = freshEcosystem();
  const { own } = new ErasureObjects(env, eco);
  const others = Object.keys(ecosystemObjects(env, eco)).filter((name) => !["SignalLog", "QueueLobby"].includes(name));
  expect([...own].sort()).toEqual(others.sort());
});

describe("the calls of erasures", () => {
  test("begin one for a source once, list it, and refuse sources of the edge and unknown ids", async () => {
    const eco = freshEcosystem();
    await emit(eco, SOURCE, {});
    await runInDurableObject(logOf(eco), () => undefined);
    const first = await begin(eco, SOURCE);
    await complete(eco, first);
    const { erasures } = await read<{ erasures: { id: string }[] }>(`/v1/${eco}/erasures`);
    expect(erasures.map(({ id }) => id)).toEqual([first.id]);
    const refused = await problemOf(await post(`/v1/${eco}/erasures`, { source: "ganglion/policy" }));
    expect(refused).toMatchObject({ status: 422, errors: [{ pointer: "/source" }] });
    expect((await problemOf(await call(`/v1/${eco}/erasures/none`))).detail).toContain("GET /v1/");
    const forged = await problemOf(await post(`/v1/${eco}/signals`, { signal: "N", source: "(erased)", facts: {} }));
    expect(forged).toMatchObject({ status: 403, type: "/problems/foreign-signal" });
  });
});
