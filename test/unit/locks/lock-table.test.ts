import { describe, expect, it } from "vitest";
import { LOCK_LIMITS, PLACE_MS } from "../../../src/core/locks/limits.ts";
import { LocksWorld, START } from "./locks-world.ts";

const aFence = expect.any(Number);

describe("locks", () => {
  it("are held by one owner, with a fence that rises with each holding", () => {
    const world = new LocksWorld();
    const first = world.try({ name: "a", owner: "x" });
    expect(world.try({ name: "a", owner: "y" })).toBe("x");
    world.release("a", Number(first));
    expect(world.try({ name: "a", owner: "y" })).toBeGreaterThan(Number(first));
  });

  it("give the same fence to an owner that asks again, and a longer life", () => {
    const world = new LocksWorld();
    const fence = world.try({ name: "a", owner: "x" });
    world.nowMs += 9_000;
    expect(world.try({ name: "a", owner: "x" })).toBe(fence);
    world.pass(9_000);
    expect(world.holdersOf("a")).toEqual(["x"]);
  });

  it("take an owner with another token for another owner", () => {
    const world = new LocksWorld();
    const fence = world.try({ name: "a", owner: "x" });
    expect(world.try({ name: "a", owner: "x", token: "other" })).toBe("x");
    expect(world.renew("a", Number(fence), 1, { token: "other" })).toEqual({ refused: "foreign" });
    expect(world.release("a", Number(fence), { token: "other", admin: true })).toMatchObject({ released: { fence } });
  });

  it("end at their TTL, to the millisecond, unless they are renewed before", () => {
    const world = new LocksWorld();
    const fence = Number(world.try({ name: "a", owner: "x", ttlMs: 1_000 }));
    world.pass(999);
    expect(world.renew("a", fence, 1_000)).toMatchObject({ held: { fence } });
    world.pass(1_000);
    expect(world.renew("a", fence)).toEqual({ refused: "not_current", hold: undefined });
    expect(world.freed).toEqual(["a of x: expired"]);
  });

  it("refuse fences of before, of other locks and of other owners", () => {
    const world = new LocksWorld();
    const fence = Number(world.try({ name: "a", owner: "x" }));
    world.release("a", fence);
    const next = Number(world.try({ name: "a", owner: "y" }));
    expect(world.release("a", fence)).toMatchObject({ refused: "not_current", hold: { owner: "y" } });
    expect(world.release("b", next)).toMatchObject({ refused: "not_current" });
    expect(world.release("a", next, { owner: "x" })).toMatchObject({ refused: "not_current" });
    expect(world.release("a", next, { owner: "y" })).toMatchObject({ released: { fence: next } });
  });

  it("exclude every name that a pattern matches, both ways", () => {
    const world = new LocksWorld();
    world.try({ name: "tree:/srv/app/**", owner: "x" });
    expect(world.try({ name: "tree:/srv/app/x", owner: "y" })).toBe("x");
    expect(world.try({ name: "tree:/srv/other", owner: "y" })).toEqual(aFence);
    expect(world.try({ name: "tree:/srv/*", owner: "z" })).toMatch(/^[xy]$/);
  });

  it("let an owner into what it holds itself", () => {
    const world = new LocksWorld();
    world.try({ name: "tree:/srv/**", owner: "x" });
    expect(world.try({ name: "tree:/srv/app", owner: "x" })).toEqual(aFence);
  });

  it("are shared by many, and become exclusive for the last of them", () => {
    const world = new LocksWorld();
    const [x, y] = ["x", "y"].map((owner) => Number(world.try({ name: "a", owner, mode: "shared" })));
    expect(world.try({ name: "a", owner: "z" })).toBe("x");
    expect(world.try({ name: "a", owner: "x" })).toBe("y");
    world.release("a", y ?? 0);
    expect(world.try({ name: "a", owner: "x" })).toBeGreaterThan(x ?? 0);
    expect(world.try({ name: "a", owner: "y", mode: "shared" })).toBe("x");
  });

  it("go to those who wait in order, and shared ones do not pass an exclusive one that waits", () => {
    const world = new LocksWorld();
    const first = Number(world.try({ name: "a", owner: "r1", mode: "shared" }));
    const writer = world.acquire({ name: "a", owner: "w", waitMs: 1 });
    const reader = world.acquire({ name: "a", owner: "r2", mode: "shared", waitMs: 1 });
    expect(world.try({ name: "a", owner: "r3", mode: "shared" })).toBe("w");
    world.release("a", first);
    expect([...world.given.keys()]).toEqual([writer.id]);
    world.release("a", world.given.get(writer.id)?.fence ?? 0);
    expect([...world.given.keys()]).toEqual([writer.id, reader.id]);
  });

  it("go on to the next when one that waits leaves, and when the holder's time is over", () => {
    const world = new LocksWorld();
    world.try({ name: "a", owner: "x", mode: "shared", ttlMs: 5_000 });
    const writer = world.acquire({ name: "a", owner: "w", waitMs: 1 });
    const reader = world.acquire({ name: "a", owner: "r", mode: "shared", waitMs: 1 });
    world.change((nowMs) => world.table.leave(writer.id, false, nowMs));
    expect(world.given.get(reader.id)?.owner).toBe("r");
    const last = world.acquire({ name: "a", owner: "w", waitMs: 1 });
    world.pass(5_000);
    expect(world.given.has(last.id)).toBe(false);
    world.pass(5_000);
    expect(world.given.get(last.id)?.owner).toBe("w");
  });

  it("keep the place of one that asks again at once, and of no other", () => {
    const world = new LocksWorld();
    const fence = Number(world.try({ name: "a", owner: "x", ttlMs: 60_000 }));
    const early = world.acquire({ name: "a", owner: "early", waitMs: 1 });
    const gone = world.acquire({ name: "a", owner: "gone", waitMs: 1 });
    const late = world.acquire({ name: "a", owner: "late", waitMs: 1 });
    for (const { id } of [early, gone]) world.change((nowMs) => world.table.leave(id, true, nowMs));
    world.pass(PLACE_MS);
    const again = world.acquire({ name: "a", owner: "early", waitMs: 1 });
    world.pass(1);
    world.acquire({ name: "a", owner: "gone", waitMs: 1 });
    expect(world.table.waits.values().map(({ request }) => request.owner)).toEqual(["early", "late", "gone"]);
    expect(world.table.waits.get(again.id)?.sinceMs).toBe(START);
    world.release("a", fence);
    expect([...world.given.keys()]).toEqual([again.id]);
    expect(world.table.waits.get(late.id)).toBeDefined();
  });

  it("let a request that is sent again take the place of the first", () => {
    const world = new LocksWorld();
    const fence = Number(world.try({ name: "a", owner: "x" }));
    const first = world.acquire({ name: "a", owner: "y", waitMs: 1 });
    world.acquire({ name: "a", owner: "z", waitMs: 1 });
    const second = world.acquire({ name: "a", owner: "y", waitMs: 1 });
    world.release("a", fence);
    expect([...world.given.keys()]).toEqual([second.id]);
    expect(world.table.waits.get(first.id)).toBeUndefined();
  });

  it("name a cycle of waits, refuse the wait that would close it, and go on when its owner releases", () => {
    const world = new LocksWorld();
    const held = ["x", "y", "z"].map((owner) => Number(world.try({ name: owner, owner })));
    const waits = [
      world.acquire({ name: "y", owner: "x", waitMs: 1 }),
      world.acquire({ name: "z", owner: "y", waitMs: 1 }),
    ];
    const { answer } = world.acquire({ name: "x", owner: "z", waitMs: 1 });
    expect(answer).toMatchObject({
      blocked: { owner: "x" },
      cycle: [
        { owner: "z", waitsFor: "x", heldBy: "x" },
        { owner: "x", waitsFor: "y", heldBy: "y" },
        { owner: "y", waitsFor: "z", heldBy: "z" },
      ],
    });
    world.release("z", held[2] ?? 0);
    expect(world.given.get(waits[1]?.id ?? "")?.owner).toBe("y");
  });

  it("find a cycle that goes over the order of those who wait", () => {
    const world = new LocksWorld();
    world.try({ name: "a", owner: "x", mode: "shared" });
    world.try({ name: "b", owner: "y" });
    world.acquire({ name: "a", owner: "w", waitMs: 1 });
    // y waits behind w alone, which waits for x, which waits for y.
    expect(world.try({ name: "a", owner: "y", mode: "shared", waitMs: 1 })).toBe("waits");
    expect(world.try({ name: "b", owner: "x", waitMs: 1 })).toBe("cycle y");
  });

  it("see no cycle where two of the shared holders want it alone one after the other, and one where both wait", () => {
    const world = new LocksWorld();
    for (const owner of ["x", "y"]) world.try({ name: "a", owner, mode: "shared" });
    expect(world.try({ name: "a", owner: "x", waitMs: 1 })).toBe("waits");
    expect(world.try({ name: "a", owner: "y", waitMs: 1 })).toBe("cycle x");
  });

  it("do not keep an owner waiting behind one that waits for that owner", () => {
    const world = new LocksWorld();
    world.try({ name: "tree:/a", owner: "x" });
    world.acquire({ name: "tree:/**", owner: "w", waitMs: 1 });
    expect(world.try({ name: "tree:/b", owner: "x" })).toEqual(aFence);
    expect(world.try({ name: "tree:/c", owner: "y" })).toBe("w");
  });

  it("bound to a process are asked after at their TTL, held on while it runs, and freed when it has ended", () => {
    const world = new LocksWorld();
    const process = { host: "h", process: "coder", run: "7" };
    const fence = Number(world.try({ name: "a", owner: "x", ttlMs: 1_000, process }));
    world.pass(1_000);
    expect(world.table.doubted(9).map((hold) => hold.fence)).toEqual([fence]);
    world.change((nowMs) => world.table.judge(fence, "alive", nowMs));
    world.pass(999);
    expect(world.table.doubted(9)).toEqual([]);
    world.pass(1);
    world.change((nowMs) => world.table.judge(fence, "ended", nowMs));
    expect([world.holdersOf("a"), world.freed]).toEqual([[], ["a of x: process_ended"]]);
  });

  it("bound to a process are held while its host is away, for their TTL from when it went", () => {
    const world = new LocksWorld();
    const process = { host: "h", process: "coder", run: "7" };
    const fence = Number(world.try({ name: "a", owner: "x", ttlMs: 10_000, process }));
    world.pass(10_000);
    const awaySinceMs = world.nowMs - 4_000;
    world.change((nowMs) => world.table.judge(fence, { awaySinceMs }, nowMs));
    world.pass(5_999);
    expect(world.table.doubted(9)).toEqual([]);
    world.pass(1);
    world.change((nowMs) => world.table.judge(fence, { awaySinceMs }, nowMs));
    expect(world.freed).toEqual(["a of x: host_away"]);
  });

  it("are not prolonged beyond their TTL by a clock that is set back, and their fences go on", () => {
    const world = new LocksWorld();
    const fence = Number(world.try({ name: "a", owner: "x", ttlMs: 1_000 }));
    world.nowMs -= 3_600_000;
    expect(world.try({ name: "b", owner: "y" })).toBe(fence + 1);
    world.pass(1_000);
    expect(world.holdersOf("a")).toEqual([]);
  });

  it("give fences that were never given before, where the object was set back to an earlier copy", () => {
    const world = new LocksWorld();
    const copy = { disk: new Map(world.disk), fence: world.diskFence };
    const fences = Array.from({ length: 50 }, (_, place) => Number(world.try({ name: `n${place}`, owner: "x" })));
    world.disk = copy.disk;
    world.diskFence = copy.fence;
    world.nowMs += 1;
    world.kill();
    expect(world.try({ name: "a", owner: "y" })).toBeGreaterThan(Math.max(...fences));
  });

  it("are refused beyond what a token, or the ecosystem, may hold", () => {
    const world = new LocksWorld();
    for (let place = 0; place < LOCK_LIMITS.tokenLocks; place++) world.try({ name: `n${place}`, owner: "x" });
    expect(world.try({ name: "one-more", owner: "x" })).toBe("tokenLocks");
    for (let place = 0; place < LOCK_LIMITS.locks - LOCK_LIMITS.tokenLocks; place++)
      world.try({ name: `m${place}`, owner: "x", token: "other" });
    expect(world.try({ name: "one-more", owner: "z", token: "third" })).toBe("locks");
  });

  it("have a bound for names with wildcards", () => {
    const world = new LocksWorld();
    for (let place = 0; place < LOCK_LIMITS.patterns; place++) world.try({ name: `a${place}/*`, owner: "x" });
    expect(world.try({ name: "one/more/*", owner: "x" })).toBe("patterns");
    expect(world.try({ name: "one-more", owner: "x" })).toEqual(aFence);
  });

  it("have a bound for those who wait", () => {
    const world = new LocksWorld();
    world.try({ name: "a", owner: "x" });
    for (let place = 0; place < LOCK_LIMITS.tokenWaiters; place++)
      expect(world.try({ name: "a", owner: `w${place}`, waitMs: 1 })).toBe("waits");
    expect(world.try({ name: "a", owner: "one-more", waitMs: 1 })).toBe("tokenWaiters");
    for (let place = LOCK_LIMITS.tokenWaiters; place < LOCK_LIMITS.waiters; place++)
      world.try({ name: "a", owner: `w${place}`, token: `t${place % 3}`, waitMs: 1 });
    expect(world.try({ name: "a", owner: "one-more", token: "third", waitMs: 1 })).toBe("waiters");
  });
});
