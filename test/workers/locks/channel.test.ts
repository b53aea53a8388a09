import { runInDurableObject } from "cloudflare:test";
import { afterEach, describe, expect, it, vi } from "vitest";
import { makeToken } from "../access/tokens-under-test.ts";
import { call } from "../api/calls.ts";
import { crash } from "../crash.ts";
import { patience } from "../patience.ts";
import { openLocks } from "./channel-under-test.ts";
import { locksOf } from "./locks-under-test.ts";

afterEach(() => {
  vi.useRealTimers();
});

const MINUTE = 60_000;
const alarmOf = (stub: DurableObjectStub) =>
  runInDurableObject(stub, (_, state) => state.storage.getAlarm().then((atMs) => atMs));

describe("locks over a channel", () => {
  it("are acquired, renewed and released by a frame each, and are those that are locked over HTTP", async () => {
    const locks = locksOf();
    const channel = await openLocks(locks.eco);
    const fence = await channel.fence("tree:/srv/**", "a");
    expect(await channel.renew("tree:/srv/**", fence, { ttl_ms: 2 * MINUTE })).toMatchObject({
      type: "lock",
      held: true,
      fence,
    });
    expect(await locks.acquire("tree:/srv/app", "b")).toMatchObject({ held: false, holder: "a" });
    expect(await channel.acquire("tree:/srv/app", "b")).toMatchObject({
      type: "lock",
      held: false,
      holder: "a",
      blocked_by: { name: "tree:/srv/**", fence },
    });
    expect(await channel.release("tree:/srv/**", fence)).toMatchObject({ type: "released" });
    expect(await locks.fence("tree:/srv/app", "b")).toBeGreaterThan(fence);
  });

  it("are shared by those who ask for that", async () => {
    const { eco } = locksOf();
    const channel = await openLocks(eco);
    await channel.fence("a", "x", { mode: "shared" });
    expect(await channel.acquire("a", "y", { mode: "shared" })).toMatchObject({ held: true });
    expect(await channel.acquire("a", "z")).toMatchObject({ held: false });
  });

  it("refuse a fence that is not the current one by an answer to this frame alone", async () => {
    const { eco } = locksOf();
    const channel = await openLocks(eco);
    const old = await channel.fence("a", "x");
    await channel.release("a", old);
    const fence = await channel.fence("a", "y");
    for (const answer of [
      channel.renew("a", old),
      channel.release("a", old),
      channel.release("a", fence, { owner: "x" }),
    ])
      expect(await answer).toMatchObject({
        type: "refused",
        problem: { status: 409, type: "/problems/lock-not-held", holder: { owner: "y", fence } },
      });
    expect(await channel.renew("a", fence)).toMatchObject({ held: true, fence });
  });

  it("answer what is no frame with the field and the fix, and read on", async () => {
    const { eco } = locksOf();
    const channel = await openLocks(eco);
    const frame = { type: "acquire", id: "i", name: "a", owner: "x", ttl_ms: 1_000 };
    for (const [change, pointer] of [
      [{ name: "a//b" }, "/name"],
      [{ owner: "-" }, "/owner"],
      [{ ttl_ms: 0 }, "/ttl_ms"],
      [{ ttl_ms: 86_400_001 }, "/ttl_ms"],
      [{ wait_ms: 60_001 }, "/wait_ms"],
      [{ mode: "both" }, "/mode"],
      [{ other: 1 }, "/other"],
      [{ type: "lock" }, "/type"],
    ] as const)
      expect(await channel.raw(JSON.stringify({ ...frame, ...change }), "i"), pointer).toMatchObject({
        type: "refused",
        problem: { status: 422, errors: [{ pointer }] },
      });
    expect(await channel.raw("{", null)).toMatchObject({ problem: { status: 400 } });
    expect(await channel.raw(new ArrayBuffer(2), null)).toMatchObject({ problem: { status: 415 } });
    expect(await channel.raw(JSON.stringify({ ...frame, task: "x".repeat(20_000) }), null)).toMatchObject({
      problem: { status: 413 },
    });
    expect(await channel.fence("a", "x")).toBeGreaterThan(0);
  });

  it("answer a request that is sent again with the same holding, over another channel, too", async () => {
    const { eco, list } = locksOf();
    const first = await openLocks(eco);
    const fence = await first.fence("a", "x", { id: "one" });
    expect(await first.fence("a", "x", { id: "one" })).toBe(fence);
    first.socket.close(1_000);
    const second = await openLocks(eco);
    expect(await second.fence("a", "x", { id: "one" })).toBe(fence);
    expect((await list()).locks).toHaveLength(1);
  });

  it("count each frame as a message of a socket, and no request", async () => {
    const { eco, stub } = locksOf();
    const channel = await openLocks(eco);
    const before = await stub().usage();
    for (let place = 0; place < 10; place++) await channel.fence("a", "x");
    const after = await stub().usage();
    expect(after.socket_messages - before.socket_messages).toBe(10);
    expect(after.requests - before.requests).toBe(1);
  });
});

describe("who waits for a lock over a channel", () => {
  it("is told at once for whom, and has it as soon as it is released, in order with those who ask over HTTP", async () => {
    const { eco, fence, release, acquire, list } = locksOf();
    const held = await fence("a", "x");
    const channel = await openLocks(eco);
    const first = await channel.wait("a", "y", { task: "task-8" });
    expect(first.told).toMatchObject({ type: "waiting", holder: "x", blocked_by: { name: "a", fence: held } });
    const second = acquire("a", "z", { wait_ms: 50_000 });
    await expect.poll(async () => (await list()).waits_total, patience).toBe(2);
    expect((await list()).waits).toMatchObject([{ owner: "y", task: "task-8" }, { owner: "z" }]);
    await release("a", held);
    const given = await first.answer;
    expect(given).toMatchObject({ type: "lock", held: true, name: "a" });
    await channel.release("a", given.type === "lock" && given.held ? given.fence : 0);
    expect(await second).toMatchObject({ held: true });
  });

  it("learns after its time who stands in the way, by an alarm, and leaves the order", async () => {
    const { eco, fence, list, pass } = locksOf();
    await fence("a", "x", { ttl_ms: 3_600_000 });
    const channel = await openLocks(eco);
    const { answer } = await channel.wait("a", "y", { wait_ms: 5_000 });
    await pass(5_000);
    expect(await answer).toMatchObject({ type: "lock", held: false, holder: "x" });
    expect((await list()).waits_total).toBe(0);
  });

  it("may take its request back, which is then answered, so that the next is served", async () => {
    const { eco, fence, list } = locksOf();
    await fence("a", "x", { mode: "shared" });
    const channel = await openLocks(eco);
    const { id, answer } = await channel.wait("a", "w");
    const reader = await channel.wait("a", "r", { mode: "shared" });
    channel.send({ type: "cancel", id });
    expect(await answer).toMatchObject({ held: false, holder: "x" });
    expect(await reader.answer).toMatchObject({ held: true });
    expect((await list()).waits_total).toBe(0);
  });

  it("is answered once where it sends its request again while it waits", async () => {
    const { eco, fence, release, list } = locksOf();
    const held = await fence("a", "x");
    const channel = await openLocks(eco);
    const { frame, id, answer } = await channel.wait("a", "y");
    channel.send(frame);
    await channel.fence("other", "z");
    expect((await list()).waits_total).toBe(1);
    await release("a", held);
    expect(await answer).toMatchObject({ held: true });
    await channel.fence("another", "z");
    expect(channel.received.filter((one) => one.type === "lock" && one.id === id)).toHaveLength(1);
  });

  it("leaves the order when its channel ends, and has its place again when it comes back soon", async () => {
    const { eco, fence, release, list } = locksOf();
    const held = await fence("a", "x");
    const [first, other] = [await openLocks(eco), await openLocks(eco)];
    await first.wait("a", "y");
    const behind = await other.wait("a", "z");
    first.socket.close(1_000);
    await expect.poll(async () => (await list()).waits_total, patience).toBe(1);
    const back = await openLocks(eco);
    const again = await back.wait("a", "y");
    expect((await list()).waits).toMatchObject([{ owner: "y" }, { owner: "z" }]);
    await release("a", held);
    expect(await again.answer).toMatchObject({ held: true });
    expect(other.received.filter(({ type }) => type === "lock")).toEqual([]);
    const given = await again.answer;
    await back.release("a", given.type === "lock" && given.held ? given.fence : 0);
    expect(await behind.answer).toMatchObject({ held: true });
  });

  it("that ends with its channel lets the next one go on at once", async () => {
    const { eco, fence, acquire } = locksOf();
    await fence("a", "x", { mode: "shared" });
    const channel = await openLocks(eco);
    await channel.wait("a", "w");
    expect(await acquire("a", "r", { mode: "shared" })).toMatchObject({ held: false, holder: "w" });
    channel.socket.close(1_000);
    expect(await acquire("a", "r", { mode: "shared", wait_ms: 20_000 })).toMatchObject({ held: true });
  });

  it("has what it was given when its channel ended before the answer, under the same fence, and nobody else has it", async () => {
    const { eco, fence, release, list, acquire } = locksOf();
    const held = await fence("a", "x");
    const channel = await openLocks(eco);
    await channel.wait("a", "y");
    // The edge does not know yet that the other end has gone.
    await release("a", held);
    channel.socket.close(1_000);
    const [lock] = (await list()).locks;
    expect(lock).toMatchObject({ owner: "y" });
    expect(await acquire("a", "z")).toMatchObject({ held: false, holder: "y" });
    const back = await openLocks(eco);
    expect(await back.fence("a", "y")).toBe(lock?.fence);
  });

  it("goes on to wait in its place while the object sleeps, which it may, and has the lock when it is free", async () => {
    const { eco, fence, release, list, evict, stub } = locksOf();
    const held = await fence("a", "x", { ttl_ms: 3_600_000 });
    const channel = await openLocks(eco);
    const waits = [await channel.wait("a", "y"), await channel.wait("a", "z", { mode: "shared" })];
    const since = (await list()).waits.map((wait) => wait.since);
    await evict();
    expect((await list()).waits).toMatchObject([
      { owner: "y", since: since[0] },
      { owner: "z", since: since[1] },
    ]);
    expect(await alarmOf(stub())).not.toBeNull();
    await evict();
    await release("a", held);
    const given = await waits[0]?.answer;
    expect(given).toMatchObject({ held: true, name: "a" });
    await evict();
    await channel.release("a", given?.type === "lock" && given.held ? given.fence : 0);
    expect(await waits[1]?.answer).toMatchObject({ held: true, mode: "shared" });
  });

  it("has the lock when the holder's time is over while the object sleeps", async () => {
    const { eco, fence, evict, pass } = locksOf();
    await fence("a", "x", { ttl_ms: 20_000 });
    const channel = await openLocks(eco);
    const { answer } = await channel.wait("a", "y");
    await evict();
    await pass(20_000);
    expect(await answer).toMatchObject({ held: true });
  });

  it("is told by the end of its channel where the object is lost, and asks again over the next one", async () => {
    const { eco, fence, release, list, stub } = locksOf();
    const held = await fence("a", "x");
    const channel = await openLocks(eco);
    await channel.wait("a", "y");
    await crash(stub());
    expect(await channel.closed).toBeGreaterThan(1_000);
    expect((await list()).waits_total).toBe(0);
    const { answer } = await (await openLocks(eco)).wait("a", "y");
    await release("a", held);
    expect(await answer).toMatchObject({ held: true });
  });

  it("is refused where the channel has no place for more that wait, and may ask elsewhere", async () => {
    const { eco, fence } = locksOf();
    await fence("a/**", "x");
    const channel = await openLocks(eco);
    for (let place = 0; place < 60; place++) {
      const name = `a/${place}/${"n".repeat(200)}`;
      channel.send({ type: "acquire", id: `w${place}`, name, owner: "y", ttl_ms: MINUTE, wait_ms: MINUTE });
    }
    expect(await channel.acquire("b", "z")).toMatchObject({ held: true });
    const waiting = channel.received.filter(({ type }) => type === "waiting");
    const refused = channel.received.filter(({ type }) => type === "refused");
    expect(waiting.length).toBeGreaterThan(10);
    expect(waiting.length + refused.length).toBe(60);
    for (const answer of refused)
      expect(answer).toMatchObject({ problem: { status: 429, type: "/problems/channel-full" }, retry_after_ms: 5_000 });
  });

  it("costs nothing while it waits but an alarm at the end of its time", async () => {
    const { eco, fence, stub } = locksOf();
    await fence("a", "x", { ttl_ms: 3_600_000 });
    const channel = await openLocks(eco);
    const before = await stub().usage();
    await channel.wait("a", "y");
    const after = await stub().usage();
    expect(after.rows_written - before.rows_written).toBeLessThanOrEqual(1);
    const dueMs = (await alarmOf(stub())) ?? 0;
    expect(dueMs - Date.now()).toBeGreaterThan(50_000);
    expect(dueMs - Date.now()).toBeLessThanOrEqual(60_000);
  });
});

describe("tokens and channels for locks", () => {
  it("need tasks:work to open one", async () => {
    const { eco } = locksOf();
    const { token } = await makeToken(eco, ["tasks:read", "tasks:write", "signals:write"]);
    await expect(openLocks(eco, token)).rejects.toThrow("403");
  });

  it("need the subprotocol, and an upgrade", async () => {
    const { eco } = locksOf();
    expect((await call(`/v1/${eco}/locks/channel`)).status).toBe(426);
    expect((await call(`/v1/${eco}/locks/channel`, { headers: { Upgrade: "websocket" } })).status).toBe(400);
  });

  it("that are bound lock in their names alone, frame by frame", async () => {
    const { eco } = locksOf();
    const { token } = await makeToken(eco, ["tasks:work"], { recipients: ["coder"], hosts: ["gpu-*"] });
    const channel = await openLocks(eco, token);
    expect(await channel.acquire("a", "coder/7")).toMatchObject({ held: true });
    for (const answer of [
      channel.acquire("b", "coders"),
      channel.acquire("b", "coder", { owner_process: { host: "cpu-1", process: "p" } }),
      channel.release("b", 1, { owner: "other" }),
    ])
      expect(await answer).toMatchObject({ problem: { status: 403, type: "/problems/not-bound" } });
    expect(await channel.acquire("b", "coder", { owner_process: { host: "gpu-1", process: "p" } })).toMatchObject({
      problem: { status: 409, type: "/problems/process-not-running" },
    });
  });

  it("end what others hold where they are an administrator's", async () => {
    const { eco } = locksOf();
    const mine = await openLocks(eco, (await makeToken(eco, ["tasks:work"])).token);
    const theirs = await openLocks(eco, (await makeToken(eco, ["tasks:work"])).token);
    const fence = await mine.fence("a", "x");
    expect(await theirs.acquire("a", "x")).toMatchObject({ held: false });
    expect(await theirs.release("a", fence)).toMatchObject({ problem: { status: 403, type: "/problems/other-owner" } });
    expect(await (await openLocks(eco)).release("a", fence)).toMatchObject({ type: "released" });
  });

  it("that are deleted have their channels closed, and who waits over them leaves the order", async () => {
    const { eco, fence, list } = locksOf();
    await fence("a", "x");
    const { token, id } = await makeToken(eco, ["tasks:work"]);
    const channel = await openLocks(eco, token);
    await channel.wait("a", "y");
    expect((await call(`/v1/tokens/${id}`, { method: "DELETE" })).status).toBeLessThan(300);
    expect(await channel.closed).toBe(1008);
    expect((await list()).waits_total).toBe(0);
  });
});
