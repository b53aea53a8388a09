import { env } from "cloudflare:workers";
import { describe, expect, test, vi } from "vitest";
import { Overview } from "../../../src/core/overview/api.ts";
import { observationCache, policyState } from "../../../src/workers/bindings/objects.ts";
import { call, freshEcosystem, post } from "../api/calls.ts";
import { deadLettersOf } from "../log-under-test.ts";
import { aTask, queueOver } from "../queue/queue-under-test.ts";

const patient = { timeout: 45_000 };
vi.setConfig({ testTimeout: 60_000 });

const read = async (eco: string, headers: Record<string, string> = {}) => call(`/v1/${eco}/overview`, { headers });

describe("the overview of an ecosystem", () => {
  test("has what needs somebody, queues, gaps, the log and dead letters in one document", async () => {
    const eco = freshEcosystem();
    await queueOver(eco, "work").put(aTask({ recipient: "coder" }));
    await post(`/v1/${eco}/signals`, { signal: "X", source: "s", facts: {} });
    await deadLettersOf(eco).record([{ id: "d1", kind: "signal", signal: {}, error: "e", daemon: "test" }]);
    const answer = await read(eco);
    const overview = Overview.parse(await answer.json());
    expect(overview).toMatchObject({
      ecosystem: eco,
      attention: { total: 1, critical: 0, items: [{ kind: "dead_letters" }], left_out: 0 },
      fleet: { hosts: [], totals: { hosts: 0, up: 0, down: 0 } },
      queues: [{ queue: "work", ready: 1, leased: 0, wait_p50_ms: null, alerts: [] }],
      gaps: { open: 0 },
      log: { last: 1, per_minute: 1 },
      dead_letters: { total: 1 },
      breakers: [],
      usage: { budget: null },
      unread: [],
    });
  });

  test("is not sent again to a reader that has it, while nothing changes", async () => {
    const eco = freshEcosystem();
    const first = await read(eco);
    await first.body?.cancel();
    const etag = first.headers.get("etag") ?? "";
    expect(etag).toMatch(/^W\/"[0-9a-f]{24}"$/);
    for (const tags of [etag, `"other", ${etag}`, "*"]) {
      const again = await read(eco, { "If-None-Match": tags });
      expect([again.status, await again.text(), again.headers.get("etag")]).toEqual([304, "", etag]);
    }
    await deadLettersOf(eco).record([{ id: "d1", kind: "signal", signal: {}, error: "e", daemon: "test" }]);
    const status = async () => (await read(eco, { "If-None-Match": etag })).status;
    await expect.poll(status, patient).toBe(200);
  });

  test("that many readers ask for within two seconds costs the objects one look", async () => {
    const eco = freshEcosystem();
    const calls = async () => {
      const objects = [observationCache(env, eco), policyState(env, eco)];
      return Promise.all(objects.map(async (each) => (await each.usage()).requests));
    };
    await (await read(eco)).body?.cancel();
    const before = await calls();
    const answers = await Promise.all(Array.from({ length: 20 }, () => read(eco)));
    for (const answer of answers) await answer.body?.cancel();
    // The second count is a call itself.
    expect(await calls()).toEqual(before.map((count) => count + 1));
  });
});
