import { beforeAll, describe, expect, it } from "vitest";
import type { Client } from "../../../src/client/client.ts";
import { openLocks } from "../../../src/client/locks/open-locks.ts";
import { work } from "../../../src/client/work/worker.ts";
import { eventually } from "../../harness/eventually.ts";
import { type RunningEdge, runEdge } from "../../harness/running-edge.ts";

let edge: RunningEdge;
let client: Client;
beforeAll(async () => {
  edge = await runEdge();
  client = edge.client();
});

describe("the handlers of a worker", () => {
  it("lock one after the other what they share, each in the name of its attempt and for its task", async () => {
    let inside = 0;
    const seen: (string | null)[] = [];
    const fences: number[] = [];
    const worker = work(
      "locking",
      "coder",
      (_, { withLock }) =>
        withLock("tree:/srv/app", {}, async ({ fence }) => {
          expect(++inside).toBe(1);
          fences.push(fence);
          const [lock] = (await client.locks.list({ name: "tree:/srv/**" })).locks;
          expect(lock?.owner).toMatch(/^coder\//);
          seen.push(lock?.task ?? null);
          inside--;
        }),
      { url: edge.url, token: edge.token, concurrency: 6 },
    );
    const ids = Array.from({ length: 6 }, (_, place) => `t${place}`);
    await client.queues.put(
      "locking",
      ids.map((task_id) => ({ task_id, recipient: "coder", type: "X", payload: 1 })),
    );
    await eventually(async () => expect(seen).toHaveLength(6));
    await worker.stop();
    expect(seen.toSorted()).toEqual(ids);
    expect(fences).toEqual(fences.toSorted((one, other) => one - other));
    expect((await client.locks.list()).locks).toEqual([]);
  });
});

describe("locks over a channel", () => {
  it("hand a lock over as soon as it is released, and leave the order when their process goes", async () => {
    const [one, other, gone] = [1, 2, 3].map(() => openLocks({ url: edge.url, token: edge.token }));
    if (one === undefined || other === undefined || gone === undefined) throw new Error("no locks");
    const held = await one.hold("a", { owner: "x", ttlMs: 30_000 });
    const waiters = async () => (await client.locks.list({ name: "a" })).waits.map(({ owner }) => owner);
    const leaving = gone.hold("a", { owner: "y", ttlMs: 30_000, waitMs: 1 }).catch((error: unknown) => error);
    await leaving;
    const lost = new AbortController();
    const left = gone.hold("a", { owner: "y", ttlMs: 30_000, signal: lost.signal }).catch(() => "left");
    await eventually(async () => expect(await waiters()).toEqual(["y"]));
    const next = other.hold("a", { owner: "z", ttlMs: 30_000 });
    await eventually(async () => expect(await waiters()).toEqual(["y", "z"]));
    lost.abort();
    expect(await left).toBe("left");
    await eventually(async () => expect(await waiters()).toEqual(["z"]));
    await held.release();
    const given = await next;
    expect(given.fence).toBeGreaterThan(held.fence);
    await given.release();
    for (const locks of [one, other, gone]) locks.close();
  });

  it("notice a process that is cut off: whoever waits over its channel leaves the order", async () => {
    const { fence } = await client.locks.hold("b", { owner: "x", ttlMs: 30_000 });
    const waiting = openLocks({ url: edge.url, token: edge.token });
    const wait = waiting.hold("b", { owner: "y", ttlMs: 30_000, waitMs: 60_000 }).catch(() => "cut off");
    const count = async () => (await client.locks.list({ name: "b" })).waits_total;
    await eventually(async () => expect(await count()).toBe(1));
    waiting.close();
    await eventually(async () => expect(await count()).toBe(0));
    await client.locks.release("b", fence);
    await wait;
  });
});
