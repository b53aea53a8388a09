import { runInDurableObject } from "cloudflare:test";
import { describe, expect, test, vi } from "vitest";
import { SignalLog } from "../../../src/durable-objects/signals/object.ts";
import { call, freshEcosystem, problemOf } from "../api/calls.ts";
import { aSignal, logOf } from "../log-under-test.ts";

vi.setConfig({ testTimeout: 120_000 });

/** A log with closed zones, all of whose signals have long ids of their own and numbers of the producer `P`. */
async function aLog(eco: string): Promise<number> {
  const batches = 300;
  for (let batch = 0; batch < batches; batch++) {
    const signals = Array.from({ length: 100 }, (_, n) =>
      aSignal("Q_A", {}, { id: `${"i".repeat(200)}${batch}-${n}` }),
    );
    await logOf(eco).append({ producer: { name: "P", first: batch * 100 + 1 }, signals });
  }
  return batches * 100;
}

/** Makes the search of one zone as costly as that of the largest. */
async function padZones(eco: string, copies: number): Promise<void> {
  await runInDurableObject(logOf(eco), (_, { storage: { sql } }) => {
    const { slice } = sql.exec<{ slice: number }>("SELECT MAX(slice) AS slice FROM slices").one();
    sql.exec(`UPDATE zones_${slice} SET body = json_set(body, '$.padding', ?)`, "x".repeat(copies));
  });
}

describe("look-up of an id", () => {
  test("finds a signal by its own id, and none by a number where the signal has an id of its own", async () => {
    const eco = freshEcosystem();
    await aLog(eco);
    const id = `${"i".repeat(200)}7-5`;
    expect(await (await call(`/v1/${eco}/signals/${id}`)).json()).toMatchObject({ id, seq: 706 });
    expect((await problemOf(await call(`/v1/${eco}/signals/P.5`))).status).toBe(404);
    expect((await problemOf(await call(`/v1/${eco}/signals/nobody`))).status).toBe(404);
  });

  test("reads few headers of a zone whose signals all have ids of their own", async () => {
    const eco = freshEcosystem();
    await aLog(eco);
    const parsed = vi.spyOn(JSON, "parse");
    try {
      await logOf(eco).findAll("P.5");
      const chars = parsed.mock.calls.reduce((sum, [text]) => sum + String(text).length, 0);
      // All headers together are 6 million characters.
      expect(chars).toBeLessThan(2_000_000);
    } finally {
      parsed.mockRestore();
    }
  });

  test("reads a bounded part of the log in one call and says how far it came", async () => {
    const eco = freshEcosystem();
    const head = await aLog(eco);
    await padZones(eco, 1_500_000);
    const first = await logOf(eco).findAll("nobody");
    expect(first).toEqual({ lines: [], searched_from: 0 });
    // What the searches of one second may read is shared: at some point others have to come again.
    const answers: number[] = [];
    for (let n = 0; n < 100 && !answers.includes(503); n++) {
      const some = await Promise.all(Array.from({ length: 10 }, () => call(`/v1/${eco}/signals/nobody-${n}`)));
      answers.push(...some.map(({ status }) => status));
    }
    expect(new Set(answers)).toEqual(new Set([404, 503]));
    expect(await logOf(eco).append({ signals: [aSignal("Q_A", {})] })).toMatchObject({ first_seq: head + 1 });
  });

  test("of a cause takes part in what all look-ups of a second may read", async () => {
    const eco = freshEcosystem();
    await logOf(eco).append({ signals: [aSignal("Q_A", {}, { id: "mine" })] });
    vi.useFakeTimers({ toFake: ["Date"], now: Date.now() });
    try {
      await runInDurableObject(logOf(eco), (log) => {
        const calls = log as unknown as { findAll(id: string): unknown; find(id: string): string | null };
        expect(calls.find("mine")).toContain('"mine"');
        while (calls.findAll("nobody") !== null);
        expect(calls.find("mine")).toBeNull();
      });
    } finally {
      vi.useRealTimers();
    }
  });

  test("that comes to no end in one request says so, and from where it may go on", async () => {
    const eco = freshEcosystem();
    await logOf(eco).append({ signals: [aSignal("Q_A", {}, { id: "mine" })] });
    // As in a log whose zones would take hundreds of megabytes, a thousand signals a call.
    const part = vi.spyOn(SignalLog.prototype, "findAll").mockImplementation((_, { before = 0 } = {}) => ({
      lines: [],
      searched_from: Math.min(before, 1_000_001) - 1_000,
    }));
    try {
      const answer = await call(`/v1/${eco}/signals/mine`);
      expect(answer.headers.get("Retry-After")).toBe("1");
      const found = await problemOf(answer);
      expect(found).toMatchObject({ type: "/problems/search-incomplete", status: 503, searched_from: 984_001 });
      expect(found.detail).toContain("?before=984001");
    } finally {
      part.mockRestore();
    }
    expect(await (await call(`/v1/${eco}/signals/mine?before=984001`)).json()).toMatchObject({ id: "mine" });
  });

  test("goes on before a place where the caller asks for it", async () => {
    const eco = freshEcosystem();
    await logOf(eco).append({ signals: [aSignal("Q_A", { n: 1 }, { id: "mine", source: "a" })] });
    await logOf(eco).append({ signals: [aSignal("Q_A", { n: 2 }, { id: "mine", source: "b" })] });
    expect(await (await call(`/v1/${eco}/signals/mine?before=2`)).json()).toMatchObject({ facts: { n: 1 } });
    expect((await problemOf(await call(`/v1/${eco}/signals/mine?before=1`))).status).toBe(404);
  });
});
