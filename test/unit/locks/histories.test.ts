import { describe, expect, it } from "vitest";
import {
  conflicts,
  type Hold,
  type LockRequest,
  ownerKey,
  type Waiter,
  writeHold,
} from "../../../src/core/locks/hold.ts";
import { LockName } from "../../../src/core/locks/lock-name.ts";
import fc from "../../fast-check.ts";
import { LocksWorld } from "./locks-world.ts";

const NAMES = ["a", "b", "tree:/x", "tree:/x/1", "tree:/x/2", "tree:/x/**", "tree:/**"];
const OWNERS = ["p", "q", "r", "s"];
const TTLS = [1, 500, 2_000, 20_000];

type Step =
  | {
      readonly do: "acquire";
      readonly name: string;
      readonly owner: string;
      readonly mode: "exclusive" | "shared";
      readonly ttlMs: number;
      readonly waits: boolean;
      readonly lost: boolean;
      readonly bound: boolean;
    }
  | { readonly do: "renew" | "release"; readonly which: number; readonly ttlMs: number; readonly lost: boolean }
  | { readonly do: "leave" | "sleep"; readonly which: number }
  | { readonly do: "pass" | "forward" | "back"; readonly ms: number }
  | { readonly do: "judge"; readonly which: number; readonly life: "alive" | "ended" | "away" }
  | { readonly do: "kill" | "copy" | "restore" };

const which = fc.nat(20);
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 10,
    arbitrary: fc.record({
      do: fc.constant("acquire" as const),
      name: fc.constantFrom(...NAMES),
      owner: fc.constantFrom(...OWNERS),
      mode: fc.constantFrom("exclusive" as const, "shared" as const),
      ttlMs: fc.constantFrom(...TTLS),
      waits: fc.boolean(),
      lost: fc.boolean(),
      bound: fc.boolean(),
    }),
  },
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constantFrom("renew" as const, "release" as const),
      which,
      ttlMs: fc.constantFrom(...TTLS),
      lost: fc.boolean(),
    }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("leave" as const), which }) },
  // Bits of `which`: whose requests wait over channels.
  { weight: 2, arbitrary: fc.record({ do: fc.constant("sleep" as const), which: fc.nat(15) }) },
  {
    weight: 5,
    arbitrary: fc.record({ do: fc.constant("pass" as const), ms: fc.constantFrom(0, 1, 499, 500, 501, 2_000, 30_000) }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constantFrom("forward" as const, "back" as const),
      ms: fc.constantFrom(1, 1_000, 3_600_000, 86_400_000),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant("judge" as const),
      which,
      life: fc.constantFrom("alive" as const, "ended" as const, "away" as const),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constantFrom("kill" as const, "copy" as const, "restore" as const) }),
  },
);

/** What a client believes to hold: it learned of the fence, and of no end. */
interface Belief {
  readonly name: string;
  readonly fence: number;
  readonly owner: string;
}

/** Clients, and a log of everything that was given to them. */
class History {
  readonly world = new LocksWorld();
  beliefs: Belief[] = [];
  /** By fence, what remains of its TTL, in time that nobody sets. */
  readonly left = new Map<number, number>();
  highest = 0;
  clockMax = this.world.nowMs;
  copy: { disk: Map<number, string>; fence: number } = { disk: new Map(), fence: 0 };
  /** How many went on to wait after a sleep. */
  slept = 0;
  #given = 0;
  #restored = false;

  run(one: Step): void {
    const { world } = this;
    switch (one.do) {
      case "acquire":
        return this.#acquire(one);
      case "renew":
      case "release":
        return this.#claim(one);
      case "leave": {
        const waiters = world.table.waits.values();
        const waiter = waiters[one.which % Math.max(1, waiters.length)];
        if (waiter !== undefined) world.change((nowMs) => world.table.leave(waiter.id, one.which % 2 === 0, nowMs));
        return;
      }
      case "sleep":
        return this.#sleep(one.which);
      case "judge": {
        const doubted = world.table.doubted(99);
        const hold = doubted[one.which % Math.max(1, doubted.length)];
        if (hold === undefined) return;
        const life = one.life === "away" ? { awaySinceMs: world.nowMs - 400 } : one.life;
        world.change((nowMs) => world.table.judge(hold.fence, life, nowMs));
        if (one.life === "alive") this.left.set(hold.fence, hold.ttlMs);
        else if (one.life === "away") this.left.set(hold.fence, hold.ttlMs - 400);
        return;
      }
      case "pass":
        for (const [fence, ms] of this.left) this.left.set(fence, ms - one.ms);
        return world.pass(one.ms);
      case "forward":
        world.nowMs += one.ms;
        return world.pass(0);
      case "back":
        // Behind the fences of a copy's future, until it has given one itself, no clock may be set: nothing is known of them.
        if (this.#restored) return;
        world.nowMs -= one.ms;
        world.pass(0);
        // What was held begins its TTL anew at most.
        for (const { fence, ttlMs } of world.table.holds.values()) this.left.set(fence, ttlMs);
        return;
      case "kill":
        world.kill();
        return world.pass(0);
      case "copy":
        this.copy = { disk: new Map(world.disk), fence: world.diskFence };
        return;
      case "restore":
        // An earlier copy, later on: with the clock past everything that it has shown.
        world.nowMs = Math.max(world.nowMs, this.clockMax) + 1;
        world.disk = new Map(this.copy.disk);
        world.diskFence = this.copy.fence;
        this.#restored = true;
        world.kill();
        world.pass(0);
        for (const { fence, ttlMs } of world.table.holds.values()) this.left.set(fence, ttlMs);
    }
  }

  /** Who waits over a channel goes on to wait in the same place, or has what the disk says; those over HTTP are gone. */
  #sleep(channels: number): void {
    const { world } = this;
    const heldBefore = new Map([...world.table.holds.values()].map((hold) => [hold.fence, hold.owner]));
    const kept = world.sleep((place) => (channels & (1 << (place % 4))) !== 0);
    const waits = world.table.waits.values();
    expect(waits.map(({ id }) => id)).toEqual(kept.map(({ id }) => id).filter((id) => world.table.waits.get(id)));
    for (const { id, ticket, request } of kept) {
      const waiter = world.table.waits.get(id);
      const given = world.given.get(id);
      if (waiter !== undefined) expect([waiter.ticket, waiter.request]).toEqual([ticket, request]);
      else if (given !== undefined && heldBefore.has(given.fence)) expect(given.owner).toBe(request.owner);
      else expect(given, "whoever waits no more was given the lock").toBeDefined();
    }
    expect(waits.length + kept.filter(({ id }) => world.given.has(id)).length).toBeGreaterThanOrEqual(kept.length);
    this.slept += waits.length;
  }

  #acquire({ name, owner, mode, ttlMs, waits, lost, bound }: Extract<Step, { do: "acquire" }>): void {
    const process = bound ? { host: "h", process: owner, run: "1" } : null;
    const ask = () => this.world.acquire({ name, owner, mode, ttlMs, waitMs: waits ? 1 : 0, process });
    // What is over is over before the request: it is judged by what there is.
    this.world.pass(0);
    const stuck = this.#isStuck();
    const { answer } = ask();
    // Later a lock that ends may put one who waits before another, and so close a cycle: until one of its locks ends.
    if ("waiting" in answer && !stuck) expect(this.#isStuck(), "no request waits for ever").toBe(false);
    if (!("held" in answer)) return;
    this.left.set(answer.held.fence, ttlMs);
    if (!lost) this.beliefs.push({ name, owner, fence: answer.held.fence });
    else {
      // Whose answer was lost asks again, and is given what it has.
      const again = ask().answer;
      expect("held" in again ? again.held.fence : again).toBe(answer.held.fence);
    }
  }

  #isStuck(): boolean {
    const { waits, holds } = this.world.table;
    return isStuck(waits.values(), [...holds.values()]);
  }

  #claim({ do: action, which, ttlMs, lost }: Extract<Step, { do: "renew" | "release" }>): void {
    const belief = this.beliefs[which % Math.max(1, this.beliefs.length)];
    if (belief === undefined) return;
    const { name, fence, owner } = belief;
    if (action === "renew") {
      const answer = this.world.renew(name, fence, ttlMs, { owner });
      if ("held" in answer) this.left.set(fence, ttlMs);
      else if (!lost) this.beliefs = this.beliefs.filter((one) => one !== belief);
    } else {
      this.world.release(name, fence, { owner });
      // Where the answer was lost the client goes on to believe that it holds the lock.
      if (!lost) this.beliefs = this.beliefs.filter((one) => one !== belief);
    }
  }

  /** What must be so after each step. */
  check(): void {
    const { world } = this;
    const { table } = world;
    const holds = [...table.holds.values()];
    this.clockMax = Math.max(this.clockMax, world.nowMs);
    for (const [place, one] of holds.entries())
      for (const other of holds.slice(place + 1))
        expect(conflicts(one, other), `${describeHold(one)} beside ${describeHold(other)}`).toBe(false);
    // Of what clients believe, only what is current is taken from them, and nothing of that conflicts.
    const current = this.beliefs.filter(({ name, fence, owner }) => {
      const hold = table.holds.get(fence);
      return hold?.name.text === name && hold.owner === owner;
    });
    for (const one of current)
      for (const other of current)
        if (one.owner !== other.owner && new LockName(one.name).overlaps(new LockName(other.name)))
          expect([table.holds.get(one.fence)?.mode, table.holds.get(other.fence)?.mode]).toEqual(["shared", "shared"]);
    this.#checkFences();
    for (const { fence, process } of holds)
      if (process === null) expect(this.left.get(fence) ?? 1, "a dead owner frees within its TTL").toBeGreaterThan(0);
    for (const waiter of table.waits.values())
      expect(table.blockerOf(waiter), "nobody waits for what is free").toBeDefined();
    expect(new Map(holds.map((hold) => [hold.fence, writeHold(hold)]))).toEqual(world.disk);
  }

  /** Each fence that was given since the last check is larger than all before. */
  #checkFences(): void {
    const { world } = this;
    const granted = [...world.given.values()].slice(this.#given);
    this.#given = world.given.size;
    for (const { fence, ttlMs } of granted) this.left.set(fence, ttlMs);
    for (const { name, fence, owner } of granted) this.beliefs.push({ name: name.text, fence, owner });
    const fresh = [...world.table.holds.values()].map(({ fence }) => fence).filter((fence) => !this.#seen.has(fence));
    for (const fence of [...new Set([...fresh, ...granted.map(({ fence }) => fence)])].sort(
      (one, other) => one - other,
    )) {
      expect(fence, "a fence is larger than all before").toBeGreaterThan(this.highest);
      this.highest = fence;
      this.#restored = false;
      this.#seen.add(fence);
    }
  }

  readonly #seen = new Set<number>();
}

const describeHold = ({ name, mode, owner, fence }: Hold) => `${name.text} ${mode} ${owner} ${fence}`;

/**
 * By brute force: owners that wait for nothing finish and release what they hold, and those who wait are served in their
 * order, again and again. @returns whether somebody waits for ever
 */
function isStuck(waiters: readonly Waiter[], holds: readonly Hold[]): boolean {
  let waiting = waiters.toSorted((one, other) => one.ticket - other.ticket);
  let held: readonly LockRequest[] = holds;
  const waitsForOwner = (one: Waiter, key: string) =>
    held.some((hold) => ownerKey(hold) === key && conflicts(hold, one.request));
  const isFree = ({ request, ticket }: Waiter) =>
    !held.some((hold) => conflicts(hold, request)) &&
    !waiting.some(
      (before) =>
        before.ticket < ticket && conflicts(before.request, request) && !waitsForOwner(before, ownerKey(request)),
    );
  while (waiting.length > 0) {
    const served = waiting.find(isFree);
    if (served !== undefined) {
      waiting = waiting.filter((other) => other !== served);
      held = [...held, served.request];
      continue;
    }
    const busy = new Set(waiting.map(({ request }) => ownerKey(request)));
    const left = held.filter((hold) => busy.has(ownerKey(hold)));
    if (left.length === held.length) return true;
    held = left;
  }
  return false;
}

describe("any history of locks with kills, sleeps, clocks that jump, lost answers and copies of before", () => {
  it("has never two owners of a lock, and no fence twice; frees what is not renewed; lets nobody wait for nothing or for itself", () => {
    let waits = 0;
    let slept = 0;
    fc.assert(
      fc.property(fc.array(step, { minLength: 1, maxLength: 60 }), (steps) => {
        const history = new History();
        for (const one of steps) {
          history.run(one);
          history.check();
        }
        waits += history.world.given.size;
        slept += history.slept;
      }),
      { numRuns: 1_000 },
    );
    expect(waits, "histories in which somebody waited and was served").toBeGreaterThan(100);
    expect(slept, "histories in which somebody waited through a sleep").toBeGreaterThan(100);
  });
});
