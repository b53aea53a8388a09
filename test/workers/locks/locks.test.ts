import { runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { afterEach, describe, expect, it, vi } from "vitest";
import type { Locks } from "../../../src/durable-objects/locks/object.ts";
import { makeToken } from "../access/tokens-under-test.ts";
import { problemOf } from "../api/calls.ts";
import { crash } from "../crash.ts";
import { link, registryOf } from "../hosts/registry-under-test.ts";
import { patience } from "../patience.ts";
import { locksOf } from "./locks-under-test.ts";

afterEach(() => {
  vi.useRealTimers();
});

const MINUTE = 60_000;

describe("locks over HTTP", () => {
  it("are held by one owner at a time, under a fence that rises", async () => {
    const { acquire, fence, release } = locksOf();
    const first = await fence("port:8080", "a");
    expect(await acquire("port:8080", "b")).toMatchObject({
      held: false,
      holder: "a",
      blocked_by: { name: "port:8080", owner: "a", fence: first },
    });
    expect((await release("port:8080", first)).status).toBe(200);
    expect(await fence("port:8080", "b")).toBeGreaterThan(first);
  });

  it("with a pattern in the path exclude what it matches", async () => {
    const { acquire, fence, list } = locksOf();
    await fence("tree:/srv/app/**", "a");
    expect(await acquire("tree:/srv/app/x", "b")).toMatchObject({ held: false, holder: "a" });
    expect(await acquire("tree:/srv/other", "b")).toMatchObject({ held: true });
    expect((await list("?name=tree:/srv/app/x/*")).locks).toMatchObject([{ name: "tree:/srv/app/**" }]);
  });

  it("refuse a fence that is not the current one, and say whose is", async () => {
    const { fence, renew, release, act } = locksOf();
    const old = await fence("a", "x");
    await release("a", old);
    const now = await fence("a", "y");
    for (const answer of [renew("a", old), release("a", old), act("a", "release", { fence: now, owner: "x" })])
      expect(await problemOf(await answer)).toMatchObject({
        status: 409,
        type: "/problems/lock-not-held",
        holder: { owner: "y", fence: now },
      });
    expect((await problemOf(await release("b", now))).status).toBe(409);
    expect(await (await renew("a", now)).json()).toMatchObject({ held: true, fence: now });
  });

  it("give the same fence to a request that is sent again, with a key or without", async () => {
    const { fence } = locksOf();
    const first = await fence("a", "x", { key: "k" });
    expect(await fence("a", "x", { key: "k" })).toBe(first);
    expect(await fence("a", "x")).toBe(first);
  });

  it("are listed with holder, purpose and age, and who waits for what since when", async () => {
    const { fence, acquire, list, release } = locksOf();
    const held = await fence("a", "x", { task: "task-7" });
    const waits = acquire("a", "y", { wait_ms: 20_000, task: "task-8" });
    await expect.poll(async () => (await list()).waits_total, patience).toBe(1);
    const page = await list();
    expect(page.locks).toMatchObject([
      { name: "a", owner: "x", fence: held, task: "task-7", mode: "exclusive", waiting: 1 },
    ]);
    expect(page.waits).toMatchObject([
      { name: "a", owner: "y", task: "task-8", blocked_by: { owner: "x", fence: held } },
    ]);
    await release("a", held);
    expect(await waits).toMatchObject({ held: true });
    expect((await list()).waits).toEqual([]);
  });

  it("are listed in pages", async () => {
    const { fence, list } = locksOf();
    const fences = [await fence("a", "x"), await fence("b", "y"), await fence("c", "x")];
    const { locks, next } = await list("?limit=2");
    expect([locks.map((lock) => lock.fence), next]).toEqual([fences.slice(0, 2), String(fences[1])]);
    expect((await list(`?after=${next}`)).locks.map((lock) => lock.fence)).toEqual(fences.slice(2));
    expect((await list("?owner=y")).locks).toHaveLength(1);
  });

  it("refuse names, owners and times that are not valid, with the fix", async () => {
    const { tryAcquire, act, list } = locksOf();
    expect(await problemOf(await tryAcquire("a//b", "x"))).toMatchObject({
      status: 422,
      errors: [{ pointer: "/path/name", message: expect.stringContaining("without //") }],
    });
    for (const body of [
      { owner: "x" },
      { ttl_ms: 1 },
      { owner: "x", ttl_ms: 0 },
      { owner: "x", ttl_ms: 86_400_001 },
      { owner: "x", ttl_ms: 1, wait_ms: 60_001 },
      { owner: "x", ttl_ms: 1, mode: "both" },
      { owner: "-", ttl_ms: 1 },
      { owner: "x", ttl_ms: 1, other: 1 },
    ])
      expect((await problemOf(await act("a", "acquire", body))).status, JSON.stringify(body)).toBe(422);
    expect((await problemOf(await act("a", "renew", { fence: 0, ttl_ms: 1 }))).status).toBe(422);
    expect(await list("?after=x")).toMatchObject({ status: 422 });
  });
});

describe("who waits for a lock", () => {
  it("has it as soon as it is released, in order", async () => {
    const { fence, acquire, release, list } = locksOf();
    const held = await fence("a", "x");
    const waits = [];
    for (const owner of ["y", "z"]) {
      waits.push(acquire("a", owner, { wait_ms: 50_000 }));
      await expect.poll(async () => (await list()).waits_total, patience).toBe(waits.length);
    }
    await release("a", held);
    const second = await waits[0];
    if (second?.held !== true) throw new Error("the first of those who wait has not got it");
    expect((await list()).waits).toMatchObject([{ owner: "z" }]);
    await release("a", second.fence);
    expect(await waits[1]).toMatchObject({ held: true });
  });

  it("has it when the holder's time is over, by the alarm", async () => {
    const { fence, acquire } = locksOf();
    await fence("a", "x", { ttl_ms: 300 });
    expect(await acquire("a", "y", { wait_ms: 30_000 })).toMatchObject({ held: true });
  });

  it("learns after its time who stands in the way, and leaves the order", async () => {
    const { fence, acquire, list } = locksOf();
    await fence("a", "x", { mode: "shared" });
    expect(await acquire("a", "y", { wait_ms: 50 })).toMatchObject({ held: false, holder: "x" });
    expect((await list()).waits_total).toBe(0);
    expect(await acquire("a", "z", { mode: "shared" })).toMatchObject({ held: true });
  });

  it("leaves the order when its request is taken back, so that the next is served", async () => {
    const { fence, acquire, list, stub } = locksOf();
    await fence("a", "x", { mode: "shared" });
    const call = { id: "r1", name: "a", mode: "exclusive", owner: "w", token: "t", admin: false } as const;
    const waiting = await stub().acquire({ ...call, ttlMs: 1_000, waitMs: 50_000, task: null, process: null });
    if (!("turn" in waiting)) throw new Error("it does not wait");
    await expect.poll(async () => (await list()).waits_total, patience).toBe(1);
    const reader = acquire("a", "r", { mode: "shared", wait_ms: 50_000 });
    await expect.poll(async () => (await list()).waits_total, patience).toBe(2);
    waiting.turn[Symbol.dispose]();
    expect(await reader).toMatchObject({ held: true });
  });

  it("is told to ask again where the object was lost, while what is held stays held", async () => {
    const { fence, tryAcquire, list, stub, renew } = locksOf();
    const held = await fence("a", "x");
    const waits = tryAcquire("a", "y", { wait_ms: 50_000 });
    await expect.poll(async () => (await list()).waits_total, patience).toBe(1);
    await crash(stub());
    expect((await problemOf(await waits)).status).toBe(503);
    expect(await (await renew("a", held)).json()).toMatchObject({ held: true, fence: held });
  });

  it("is refused where the wait would close a cycle, which is named, told of by a signal, and needs somebody", async () => {
    const { fence, acquire, list, attention, signals } = locksOf();
    await fence("a", "x");
    await fence("b", "y");
    const waits = acquire("b", "x", { wait_ms: 1_500 });
    await expect.poll(async () => (await list()).waits_total, patience).toBe(1);
    for (let times = 0; times < 3; times++)
      expect(await acquire("a", "y", { wait_ms: 50_000 })).toMatchObject({
        held: false,
        holder: "x",
        cycle: [
          { owner: "y", waits_for: "a", held_by: "x" },
          { owner: "x", waits_for: "b", held_by: "y" },
        ],
      });
    await waits;
    await expect
      .poll(() => signals("Q_LOCK_CYCLE"), patience)
      .toMatchObject([{ facts: { owner: "y", lock: "a", owners: 2 } }]);
    await expect
      .poll(async () => (await attention()).items, patience)
      .toMatchObject([{ kind: "lock_cycle", why: "y waits for a of x, x waits for b of y" }]);
  });

  it("needs somebody after a minute, by requests that follow each other, and is told of when it has the lock", async () => {
    const { fence, acquire, attention, signals, list, release } = locksOf();
    const held = await fence("a", "x", { ttl_ms: 3_600_000 });
    expect(await acquire("a", "y", { wait_ms: 1 })).toMatchObject({ held: false });
    // What a minute of requests does in a minute.
    for (let seconds = 0; seconds < 64; seconds += 4) {
      vi.useFakeTimers({ toFake: ["Date"], now: Date.now() + 4_000 });
      await acquire("a", "y", { wait_ms: 1 });
    }
    const waits = acquire("a", "y", { wait_ms: 50_000 });
    await expect.poll(async () => (await list()).waits_total, patience).toBe(1);
    expect((await attention()).items).toMatchObject([
      {
        kind: "lock_waiting",
        subject: "a",
        what: "y waits for the lock a",
        why: expect.stringMatching(/^x holds a since /),
      },
    ]);
    await release("a", held);
    await waits;
    await expect.poll(() => signals("Q_LOCK_LATE"), patience).toMatchObject([{ facts: { lock: "a", owner: "y" } }]);
    expect((await attention()).items).toEqual([]);
  });
});

describe("the end of a lock", () => {
  it("comes at its TTL, is told of by a signal, and is not forgotten by an object that sleeps", async () => {
    const { fence, pass, evict, renew, signals, list } = locksOf();
    const held = await fence("a", "x", { ttl_ms: MINUTE, task: "task-7" });
    await evict();
    await pass(MINUTE - 5_000);
    expect((await list()).locks).toHaveLength(1);
    await pass(5_000);
    expect((await problemOf(await renew("a", held))).status).toBe(409);
    await expect
      .poll(() => signals("Q_LOCK_EXPIRED"), patience)
      .toMatchObject([{ facts: { lock: "a", owner: "x", fence: held, why: "expired", task: "task-7" } }]);
  });

  it("is told of by a bounded number of signals, and the next says how many were left out", async () => {
    const { fence, pass, signals } = locksOf();
    for (let place = 0; place < 40; place++) await fence(`n${place}`, "x", { ttl_ms: MINUTE });
    await pass(MINUTE);
    await expect.poll(async () => (await signals("Q_LOCK_EXPIRED")).length, patience).toBe(30);
    await fence("a", "x", { ttl_ms: MINUTE });
    await pass(2 * MINUTE);
    await expect.poll(async () => (await signals("Q_LOCK_EXPIRED")).at(-1)?.facts.left_out, patience).toBe(10);
  });

  it("does not come while the process runs to which the lock is bound, and comes within the TTL of its end", async () => {
    const { eco, fence, pass, list, signals, tryAcquire } = locksOf();
    const host = await link(eco, "gpu-01");
    const report = (...agents: object[]) => host.status({ version: "1.0.0", agents });
    const running = { name: "coder", state: "up", pid: 7, started_at: "2026-01-01T00:00:00.000Z" };
    const owner_process = { host: "gpu-01", process: "coder" };
    report(running);
    await expect
      .poll(async () => (await registryOf(eco).agent("gpu-01"))?.runs, patience)
      .toMatchObject({
        agents: [running],
      });
    expect(
      await problemOf(await tryAcquire("a", "x", { owner_process: { ...owner_process, process: "other" } })),
    ).toMatchObject({
      status: 409,
      type: "/problems/process-not-running",
    });
    await fence("a", "x", { ttl_ms: MINUTE, owner_process });
    for (let minutes = 0; minutes < 5; minutes++) {
      await pass(MINUTE);
      expect((await list()).locks).toMatchObject([{ owner: "x", owner_process }]);
    }
    // Started anew it is another run, which holds nothing.
    report({ ...running, pid: 8, started_at: "2026-01-01T00:10:00.000Z" });
    await expect
      .poll(async () => JSON.stringify((await registryOf(eco).agent("gpu-01"))?.runs), patience)
      .toContain("00:10");
    await pass(MINUTE);
    expect((await list()).locks).toEqual([]);
    await expect
      .poll(() => signals("Q_LOCK_EXPIRED"), patience)
      .toMatchObject([{ facts: { lock: "a", why: "process_ended", host: "gpu-01", process: "coder" } }]);
  });

  it("comes when the host of its process is away for longer than the TTL", async () => {
    const { eco, fence, pass, list, signals } = locksOf();
    const host = await link(eco, "gpu-01");
    host.status({ agents: [{ name: "coder", state: "up", pid: 7, started_at: "2026-01-01T00:00:00.000Z" }] });
    await expect.poll(async () => (await registryOf(eco).agent("gpu-01"))?.runs ?? null, patience).not.toBeNull();
    await fence("a", "x", { ttl_ms: 10 * MINUTE, owner_process: { host: "gpu-01", process: "coder" } });
    await pass(9 * MINUTE);
    host.drop();
    await expect.poll(async () => (await registryOf(eco).agent("gpu-01"))?.links, patience).toBe(0);
    await pass(MINUTE);
    expect((await list()).locks).toHaveLength(1);
    await pass(9 * MINUTE);
    expect((await list()).locks).toEqual([]);
    await expect.poll(() => signals("Q_LOCK_EXPIRED"), patience).toMatchObject([{ facts: { why: "host_away" } }]);
  });
});

describe("tokens and locks", () => {
  it("of another token are neither renewed nor released, but by an administrator", async () => {
    const { eco, fence, act, acquire, release } = locksOf();
    const [mine, theirs] = [await makeToken(eco, ["tasks:work"]), await makeToken(eco, ["tasks:work"])];
    const held = await fence("a", "x", { token: mine.token });
    expect(await acquire("a", "x", { token: theirs.token })).toMatchObject({ held: false, holder: "x" });
    for (const [action, body] of [
      ["renew", { fence: held, ttl_ms: 1 }],
      ["release", { fence: held }],
    ] as const)
      expect(await problemOf(await act("a", action, body, theirs.token))).toMatchObject({
        status: 403,
        type: "/problems/other-owner",
      });
    expect((await release("a", held)).status).toBe(200);
  });

  it("that are bound to recipients lock in their names alone, and those bound to hosts bind to processes of these", async () => {
    const { eco, tryAcquire } = locksOf();
    const { token } = await makeToken(eco, ["tasks:work"], { recipients: ["coder"], hosts: ["gpu-*"] });
    expect((await tryAcquire("a", "coder", { token })).status).toBe(200);
    expect((await tryAcquire("b", "coder/7", { token })).status).toBe(200);
    expect((await problemOf(await tryAcquire("c", "coders", { token }))).status).toBe(403);
    const owner_process = { host: "cpu-01", process: "coder" };
    expect((await problemOf(await tryAcquire("c", "coder", { token, owner_process }))).status).toBe(403);
  });

  it("need tasks:work to lock, and tasks:read to list", async () => {
    const { eco, tryAcquire } = locksOf();
    const { token } = await makeToken(eco, ["tasks:read", "tasks:write", "signals:write"]);
    expect((await problemOf(await tryAcquire("a", "x", { token }))).status).toBe(403);
  });
});

describe("ten thousand locks", () => {
  it("that nobody touches set one alarm and cost nothing else", { timeout: 240_000 }, async () => {
    const { stub, evict } = locksOf();
    const made = 10_000;
    const asked = (place: number) => ({
      id: `r${place}`,
      name: `n${place}`,
      mode: "exclusive" as const,
      owner: "x",
      token: "t",
      admin: false,
      ttlMs: 3_600_000 + place,
      waitMs: 0,
      task: null,
      process: null,
    });
    const alarms: number[] = [];
    await runInDurableObject(stub(), async (object, state) => {
      const set = state.storage.setAlarm.bind(state.storage);
      vi.spyOn(state.storage, "setAlarm").mockImplementation((at, options) => {
        alarms.push(Number(at));
        return set(at, options);
      });
      const locks = object as unknown as Locks;
      for (let place = 0; place < made; place++) await locks.acquire(asked(place));
    });
    const before = await stub().usage();
    // A row for each lock and one for its fence; the alarm; and what is noted once.
    expect(before.rows_written).toBeLessThanOrEqual(2 * made + 20);
    expect(alarms).toHaveLength(1);
    await evict();
    const { rows_written: idle } = await stub().usage();
    expect(idle).toBe(0);
    // The alarm of the first of them finds nothing that is due, where all were renewed, and sets the next.
    expect(await runInDurableObject(stub(), (_, state) => state.storage.getAlarm())).toBe(alarms[0]);
    await runDurableObjectAlarm(stub());
    expect((await stub().usage()).rows_written).toBe(1);
    expect((await stub().list({ after: 0, limit: 1 })).locks).toHaveLength(1);
  });
});
