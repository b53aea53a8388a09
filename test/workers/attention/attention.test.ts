import { runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { describe, expect, test, vi } from "vitest";
import type { Attention, AttentionPage } from "../../../src/core/attention/api.ts";
import { ATTENTION_CHANGED } from "../../../src/core/attention/ecosystem-state.ts";
import { recordVersion } from "../../../src/durable-objects/shell/schema.ts";
import { ecosystemObjects } from "../../../src/workers/bindings/ecosystem-objects.ts";
import { directory, webhooks } from "../../../src/workers/bindings/objects.ts";
import { makeToken } from "../access/tokens-under-test.ts";
import { call, freshEcosystem, post, problemOf } from "../api/calls.ts";
import { crash } from "../crash.ts";
import { aSignal, deadLettersOf, follow, logOf } from "../log-under-test.ts";
import { putRule } from "../policy/policies-under-test.ts";
import { aTask, queueOver, queueStub } from "../queue/queue-under-test.ts";
import { aDelivery, webhooksOf } from "../webhooks/webhooks-under-test.ts";

const patient = { timeout: 45_000 };
vi.setConfig({ testTimeout: 60_000 });

async function read<Body>(path: string, token?: string): Promise<Body> {
  const answer = await call(path, token === undefined ? {} : { token });
  if (answer.status !== 200) throw new Error(await answer.text());
  return answer.json();
}

/** An ecosystem that is known, with a dead letter. */
async function withDeadLetter(): Promise<string> {
  const eco = freshEcosystem();
  await directory(env).touch(eco, Date.now());
  await deadLettersOf(eco).record([{ id: "d1", kind: "signal", signal: {}, error: "e", daemon: "test" }]);
  return eco;
}

/** Frames without signals that a stream with these patterns is sent. */
async function wakings(eco: string, pattern: string) {
  const { socket } = await follow(eco, [pattern]);
  let woken = 0;
  let taken = 0;
  socket.addEventListener("message", ({ data }) => {
    const { type, signals } = JSON.parse(String(data)) as { type: string; signals?: unknown[] };
    if (type === "signals" && signals?.length === 0) woken++;
  });
  return {
    count: () => woken,
    next: async () => {
      await expect.poll(() => woken, patient).toBeGreaterThan(taken);
      taken = woken;
    },
  };
}

describe("attention", () => {
  test("wakes the streams that ask for it, and no others, when what no signal tells of changes", async () => {
    const eco = freshEcosystem();
    const watcher = await wakings(eco, ATTENTION_CHANGED);
    const other = await wakings(eco, "X_NOTHING");
    const letter = { kind: "signal", signal: {}, error: "e", daemon: "test" } as const;
    await deadLettersOf(eco).record([{ id: "d1", ...letter }]);
    await watcher.next();
    await deadLettersOf(eco).record([{ id: "d2", ...letter }]);
    await deadLettersOf(eco).discard("d1");
    await watcher.next();
    const hooks = webhooksOf(eco);
    const { url } = await hooks.add("chat", "500");
    await hooks.stub().deliver([aDelivery("m1", "chat")]);
    await watcher.next();
    await hooks.change("chat", { url: `${url}/mended` });
    await watcher.next();
    await putRule(eco, "late", {
      when: "X_ASKED",
      expect: { signal: "X_ANSWERED", within: "50ms", else: [{ emit: { signal: "X_LATE", facts: {} } }] },
    });
    await logOf(eco).append({ signals: [aSignal("X_ASKED", {})] });
    await watcher.next();
    expect(other.count()).toBe(0);
  });

  test("of an ecosystem lists what needs somebody there", async () => {
    const eco = await withDeadLetter();
    const { items } = await read<Attention>(`/v1/${eco}/attention`);
    expect(items).toMatchObject([{ ecosystem: eco, kind: "dead_letters", next_step: "ganglion dlq list" }]);
    expect(await read<Attention>(`/v1/${freshEcosystem()}/attention`)).toMatchObject({
      items: [],
      total: 0,
      critical: 0,
      left_out: 0,
      unread: [],
    });
  });

  test("folds the dead letter of a poison task with the alert that it raised, and empties when it is replayed", async () => {
    const eco = freshEcosystem();
    const queue = queueOver(eco);
    await queue.configure({ alert_failed: 0, alert_failed_window_ms: 60_000 });
    await queue.put(aTask({ task_id: "poison", max_attempts: 1 }));
    const [leased] = await queue.lease("coder");
    await queue.act("poison", "fail", { lease_id: leased?.lease_id, error: "boom", retry: false });
    const now = () => read<Attention>(`/v1/${eco}/attention`);
    const causes = async () => (await now()).items.map(({ id, effects }) => [id, effects]);
    const poison = ["dead_letters/task/work", ["tasks fail in the queue work"]];
    await expect.poll(causes, patient).toEqual([poison]);
    const [row] = (await now()).items;
    expect(row?.why).toMatch(/: boom$/);
    await expect.poll(async () => (await now()).items[0]?.chain, patient).toBeNull();
    const { path = "", body } = row?.action ?? {};
    const tried = await post(path, body);
    expect(await tried.json()).toMatchObject({ dry_run: true, matched: 1 });
    await queue.configure({ alert_failed: null });
    expect((await post(path, { ...body, dry_run: false })).status).toBe(200);
    const [again] = await queue.lease("coder");
    await queue.act("poison", "complete", { lease_id: again?.lease_id, result: 1 });
    await expect.poll(causes, patient).toEqual([]);
  });

  test("names the parts that cannot be looked at, and shows the others", async () => {
    vi.spyOn(console, "warn").mockReturnValue();
    vi.spyOn(console, "error").mockReturnValue();
    const eco = await withDeadLetter();
    await runInDurableObject(webhooks(env, eco), (_, { storage }) => recordVersion(storage.sql, 99));
    await crash(webhooks(env, eco));
    const { items, unread } = await read<Attention>(`/v1/${eco}/attention`);
    expect([items.map(({ kind }) => kind), unread]).toEqual([["dead_letters"], ["webhooks"]]);
  });

  test("takes one call of each of eight objects where all is well, and one for each queue", async () => {
    const eco = freshEcosystem();
    await queueOver(eco).put(aTask());
    const stubs = { ...ecosystemObjects(env, eco), work: queueStub(eco) };
    const counts = async () =>
      Object.fromEntries(
        await Promise.all(
          Object.entries(stubs).map(async ([name, stub]) => [name, (await stub.usage()).requests] as const),
        ),
      );
    // At first the hosts' object asks the log which links are open.
    await read<Attention>(`/v1/${eco}/attention`);
    const before = await counts();
    await read<Attention>(`/v1/${eco}/attention`);
    const after = await counts();
    const made = Object.entries(after).map(([name, count]) => [name, count - (before[name] ?? 0) - 1]);
    expect(Object.fromEntries(made.filter(([, count]) => count !== 0))).toEqual({
      SignalLog: 1,
      ObservationCache: 1,
      PolicyState: 1,
      WorkerBoard: 1,
      AgentRegistry: 1,
      Webhooks: 1,
      Models: 1,
      DeadLetters: 1,
      work: 1,
    });
  });

  test("of all ecosystems lists those that the token may see, a page at a time", async () => {
    const [a, b, hidden] = [await withDeadLetter(), await withDeadLetter(), await withDeadLetter()];
    const both = await makeToken(a, ["signals:read"], { ecosystems: [a, b] });
    const page = (query: string) => read<AttentionPage>(`/v1/attention${query}`, both.token);
    const names = async () => (await page("")).ecosystems.map(({ name }) => name);
    await expect.poll(names, patient).toEqual([a, b].sort());
    const { items, ecosystems, next } = await page("");
    expect(items.map(({ ecosystem }) => ecosystem).sort()).toEqual([a, b].sort());
    expect(ecosystems.map(({ items: count, worst }) => [count, worst])).toEqual([
      [1, "warning"],
      [1, "warning"],
    ]);
    expect(next).toBeNull();
    const first = await page("?limit=1");
    expect(first.next).toBe([a, b].sort()[0]);
    expect((await page(`?limit=1&after=${first.next}`)).ecosystems.map(({ name }) => name)).toEqual([[a, b].sort()[1]]);
    const everything = await read<AttentionPage>("/v1/attention?limit=30");
    expect(everything.ecosystems.map(({ name }) => name)).toContain(hidden);
    const none = await makeToken(a, ["signals:write"]);
    expect((await problemOf(await call("/v1/attention", { token: none.token }))).status).toBe(403);
  });
});
