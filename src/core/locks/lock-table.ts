import { nextFence } from "./fence.ts";
import { conflicts, type Hold, type LockRequest, type Waiter } from "./hold.ts";
import { HoldIndex } from "./hold-index.ts";
import { LOCK_LIMITS, type LockLimit } from "./limits.ts";
import type { LockName } from "./lock-name.ts";
import type { Acquired, Blocker, Claim, Freed, Granted, LockEvents, Refused, WaitOptions } from "./outcomes.ts";
import { findCycle, waitsFor } from "./wait-cycle.ts";
import { WaitQueue } from "./wait-queue.ts";

/**
 * The locks of an ecosystem: who holds what, and who waits for it, in order.
 *
 * What is held is stored; who waits is not, since each of them is a request that ends where the object does. The time is that
 * of the edge alone. A clock that was set forward ends locks early, which their owners learn by their fences; one that was set
 * back prolongs no lock beyond its TTL from when that is seen.
 */
export class LockTable {
  readonly holds = new HoldIndex();
  readonly waits = new WaitQueue();
  #lastFence = 0;
  /** Fences begin behind it: what the clock allowed when the store was read, which may be a copy of before. */
  #leastFence = 0;
  /** No lock expires before. */
  #earliestMs = Number.POSITIVE_INFINITY;
  /** After a load everything is looked at. */
  #seenMs = Number.POSITIVE_INFINITY;
  readonly #changed = new Set<number>();
  /** Bound to a process, and over their TTL: whether the process lives is to be asked. */
  readonly #doubted = new Set<Hold>();
  #granted: Granted[] = [];
  #freed: Freed[] = [];
  #replaced: Waiter[] = [];

  /** Begins with what is stored, and with nobody that waits. @param lastFence - the largest that was given */
  load(holds: Iterable<Hold>, lastFence: number): void {
    for (const hold of [...this.holds.values()]) this.holds.delete(hold);
    this.waits.clear();
    this.#changed.clear();
    this.#doubted.clear();
    this.#granted = [];
    this.#freed = [];
    this.#replaced = [];
    this.#lastFence = lastFence;
    for (const hold of holds) {
      this.holds.add(hold);
      this.#lastFence = Math.max(this.#lastFence, hold.fence);
    }
    this.#seenMs = Number.POSITIVE_INFINITY;
  }

  /**
   * Requests go on waiting that waited before the object slept, each in its place. One that had been given the lock, and was not
   * told before the object was lost, has it under the fence that is stored.
   */
  restore(waiters: Iterable<Waiter>, nowMs: number): void {
    this.advance(nowMs);
    for (const waiter of waiters) {
      const own = this.holds.own(waiter.request);
      if (own?.mode === waiter.request.mode) this.#granted.push({ waiter, hold: own });
      else this.waits.add(waiter);
    }
    // Who waited before them without a channel is not there any more.
    this.#serveAll(nowMs);
  }

  get lastFence(): number {
    return this.#lastFence;
  }

  /** When {@link advance} has something to do next; `undefined`: nothing is held. */
  get nextDueMs(): number | undefined {
    return this.holds.size === 0 || this.#earliestMs === Number.POSITIVE_INFINITY ? undefined : this.#earliestMs;
  }

  /** Locks whose processes are to be asked after, at most so many. */
  doubted(limit: number): Hold[] {
    return [...this.#doubted].slice(0, limit);
  }

  acquire(request: LockRequest, { id, exempt, wait }: WaitOptions, nowMs: number): Acquired {
    this.advance(nowMs);
    const own = this.holds.own(request);
    // A request that is sent again, because its answer was lost: the fence is that of the first.
    // And an owner that waits for others keeps the stronger mode, or its waits, which were judged by that, might close a cycle.
    if (
      own !== undefined &&
      (own.mode === request.mode || (own.mode === "exclusive" && this.waits.ofOwner(request).length > 0))
    )
      return { held: this.#prolong(own, request.ttlMs, nowMs) };
    const before = wait ? this.waits.sameAs(request) : undefined;
    if (before !== undefined) {
      this.waits.remove(before);
      this.#replaced.push(before);
    }
    const ticket = before?.ticket ?? this.waits.ticketFor(request, nowMs);
    const blocker = this.#blocker(request, ticket);
    if (blocker === undefined) {
      const full = this.#full(request, exempt, false);
      if (full !== undefined) return { full };
      const held = this.#grant(request, nowMs);
      // Another mode of the same owner: who waits may come before the mode that it has now. And who waited before another
      // request of this owner may now wait for this owner, and so no longer comes first.
      const waiting = this.waits.ofOwner(request).map(({ request: { name } }) => name);
      if (own !== undefined || waiting.length > 0) this.#serve([request.name, ...waiting], nowMs);
      return { held };
    }
    if (!wait) return { blocked: blocker };
    const waiter = { id, request, ticket, sinceMs: before?.sinceMs ?? this.waits.sinceMs(request, nowMs) };
    const cycle = findCycle(waiter, this.holds, this.waits);
    if (cycle !== undefined) {
      // What waited behind the request that this one replaces goes on.
      if (before !== undefined) this.#serve([request.name], nowMs);
      return { blocked: blocker, cycle };
    }
    const full = this.#full(request, exempt, true);
    if (full !== undefined) return { full };
    this.waits.add(waiter);
    return { waiting: waiter };
  }

  renew(claim: Claim, ttlMs: number, nowMs: number): { readonly held: Hold } | Refused {
    const hold = this.#claimed(claim, nowMs);
    return "refused" in hold ? hold : { held: this.#prolong(hold, ttlMs, nowMs) };
  }

  release(claim: Claim, nowMs: number): { readonly released: Hold } | Refused {
    const hold = this.#claimed(claim, nowMs);
    if ("refused" in hold) return hold;
    this.#end(hold);
    this.#serve([hold.name], nowMs);
    return { released: hold };
  }

  /** A wait is over. @param keepsPlace - whoever asks again soon has the same place. @returns what stood in the way */
  leave(id: string, keepsPlace: boolean, nowMs: number): Blocker | undefined {
    this.advance(nowMs);
    const waiter = this.waits.get(id);
    if (waiter === undefined) return undefined;
    const blocker = this.#blocker(waiter.request, waiter.ticket);
    this.waits.remove(waiter, keepsPlace ? nowMs : undefined);
    this.#serve([waiter.request.name], nowMs);
    return blocker;
  }

  /** What was heard of the process to which a lock is bound. @param awaySinceMs - its host is away, and since when */
  judge(fence: number, life: "alive" | "ended" | { readonly awaySinceMs: number }, nowMs: number): void {
    const hold = this.holds.get(fence);
    if (hold === undefined || !this.#doubted.delete(hold)) return;
    if (life === "alive") this.#prolong(hold, hold.ttlMs, nowMs);
    else {
      const untilMs = life === "ended" ? nowMs : Math.min(life.awaySinceMs, nowMs) + hold.ttlMs;
      if (untilMs > nowMs) this.#prolong(hold, untilMs - nowMs, nowMs, hold.ttlMs);
      else {
        this.#free(hold, life === "ended" ? "process_ended" : "host_away");
        this.#serve([hold.name], nowMs);
      }
    }
  }

  /** Takes locks from owners whose time is over, and gives them to those who wait. */
  advance(nowMs: number): void {
    if (this.#seenMs === Number.POSITIVE_INFINITY) this.#leastFence = nextFence(this.#lastFence, nowMs);
    const wentBack = nowMs < this.#seenMs;
    this.#seenMs = nowMs;
    if (!wentBack && nowMs < this.#earliestMs) return;
    const names: LockName[] = [];
    let earliestMs = Number.POSITIVE_INFINITY;
    for (const hold of [...this.holds.values()]) {
      if (hold.expiresMs > nowMs + hold.ttlMs) {
        hold.expiresMs = nowMs + hold.ttlMs;
        this.#changed.add(hold.fence);
      }
      if (hold.expiresMs > nowMs) earliestMs = Math.min(earliestMs, hold.expiresMs);
      else if (hold.process !== null) this.#doubted.add(hold);
      else {
        this.#free(hold, "expired");
        names.push(hold.name);
      }
    }
    this.#earliestMs = earliestMs;
    if (names.length > 0) this.#serve(names, nowMs);
  }

  /** Fences of rows that are to be written, or deleted where nothing is held by them. */
  takeChanged(): number[] {
    const changed = [...this.#changed];
    this.#changed.clear();
    return changed;
  }

  /** What befell others since this was last asked. */
  takeEvents(): LockEvents {
    const events = { granted: this.#granted, freed: this.#freed, replaced: this.#replaced };
    this.#granted = [];
    this.#freed = [];
    this.#replaced = [];
    return events;
  }

  /** What stands in the way of a request that waits, or would. */
  blockerOf({ request, ticket }: Waiter): Blocker | undefined {
    return this.#blocker(request, ticket);
  }

  #blocker(request: LockRequest, ticket: number): Blocker | undefined {
    for (const hold of this.holds.against(request)) return hold;
    // Whoever came before is first, or shared locks would keep an exclusive one away for ever. But a request that waits for
    // the asker itself cannot go first.
    const held = this.holds.ofOwner(request);
    for (const waiter of this.waits.before(ticket))
      if (conflicts(waiter.request, request) && !waitsFor(waiter, held)) return waiter;
    return undefined;
  }

  #claimed({ name, fence, owner, token, admin }: Claim, nowMs: number): Hold | Refused {
    this.advance(nowMs);
    const hold = this.holds.get(fence);
    if (hold === undefined || hold.name.text !== name || (owner !== undefined && owner !== hold.owner))
      return { refused: "not_current", hold: this.holds.named(name) };
    return admin || hold.token === token ? hold : { refused: "foreign" };
  }

  #full({ name, token }: LockRequest, exempt: boolean, waits: boolean): LockLimit | undefined {
    const { holds } = this;
    if (holds.size + this.waits.size >= LOCK_LIMITS.locks) return "locks";
    if (name.isPattern && holds.patterns + this.waits.patterns >= LOCK_LIMITS.patterns) return "patterns";
    if (waits && this.waits.size >= LOCK_LIMITS.waiters) return "waiters";
    if (exempt) return undefined;
    if (holds.ofToken(token) >= LOCK_LIMITS.tokenLocks) return "tokenLocks";
    return waits && this.waits.ofToken(token) >= LOCK_LIMITS.tokenWaiters ? "tokenWaiters" : undefined;
  }

  #grant(request: LockRequest, nowMs: number): Hold {
    const own = this.holds.own(request);
    if (own !== undefined) this.#end(own);
    const fence = nextFence(Math.max(this.#lastFence, this.#leastFence), nowMs);
    this.#lastFence = fence;
    const hold: Hold = { ...request, fence, acquiredMs: nowMs, expiresMs: nowMs + request.ttlMs };
    this.holds.add(hold);
    this.#changed.add(fence);
    this.#earliestMs = Math.min(this.#earliestMs, hold.expiresMs);
    return hold;
  }

  #prolong(hold: Hold, byMs: number, nowMs: number, ttlMs = byMs): Hold {
    hold.ttlMs = ttlMs;
    hold.expiresMs = nowMs + byMs;
    this.#doubted.delete(hold);
    this.#changed.add(hold.fence);
    this.#earliestMs = Math.min(this.#earliestMs, hold.expiresMs);
    return hold;
  }

  #free(hold: Hold, why: Freed["why"]): void {
    this.#end(hold);
    this.#freed.push({ hold, why });
  }

  #end(hold: Hold): void {
    this.holds.delete(hold);
    this.#doubted.delete(hold);
    this.#changed.add(hold.fence);
  }

  /** @param names - `undefined`: all. @returns whether somebody was served */
  #serveOnce(names: readonly LockName[] | undefined, nowMs: number): boolean {
    let served = false;
    for (const waiter of [...this.waits.values()]) {
      const { request, ticket } = waiter;
      if (names !== undefined && !names.some((name) => name.overlaps(request.name))) continue;
      if (this.#blocker(request, ticket) !== undefined) continue;
      this.waits.remove(waiter);
      this.#granted.push({ waiter, hold: this.#grant(request, nowMs) });
      served = true;
    }
    return served;
  }

  /** Gives what has become free under these names to those who wait, the longest first. */
  #serve(names: readonly LockName[], nowMs: number): void {
    if (this.waits.size === 0) return;
    // What is given to an owner may let another request of the same owner go first (see #blocker), which was looked at already.
    if (names.length > 16 || this.#serveOnce(names, nowMs)) this.#serveAll(nowMs);
  }

  #serveAll(nowMs: number): void {
    while (this.#serveOnce(undefined, nowMs));
  }
}
