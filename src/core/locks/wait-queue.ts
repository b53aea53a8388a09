import { type LockRequest, lockKey, ownerKey, type Waiter } from "./hold.ts";
import { PLACE_MS } from "./limits.ts";

interface Place {
  readonly ticket: number;
  readonly sinceMs: number;
  readonly leftMs: number;
}

const MAX_PLACES = 1_000;

/** Requests that wait, in the order in which they are served. */
export class WaitQueue {
  /** By ticket. */
  #waiters: Waiter[] = [];
  readonly #byId = new Map<string, Waiter>();
  readonly #byOwner = new Map<string, Waiter[]>();
  readonly #byToken = new Map<string, number>();
  /** Of waits that have ended without the lock: who asks again at once has waited all the time. */
  readonly #places = new Map<string, Place>();
  #lastTicket = 0;
  #patterns = 0;

  get size(): number {
    return this.#waiters.length;
  }

  get patterns(): number {
    return this.#patterns;
  }

  ofToken(token: string): number {
    return this.#byToken.get(token) ?? 0;
  }

  get(id: string): Waiter | undefined {
    return this.#byId.get(id);
  }

  values(): readonly Waiter[] {
    return this.#waiters;
  }

  get lastTicket(): number {
    return this.#waiters.at(-1)?.ticket ?? 0;
  }

  ofOwner(owner: Pick<LockRequest, "owner" | "token">): readonly Waiter[] {
    return this.ofKey(ownerKey(owner));
  }

  /** @param key - of the owner */
  ofKey(key: string): readonly Waiter[] {
    return this.#byOwner.get(key) ?? [];
  }

  *before(ticket: number): Iterable<Waiter> {
    for (const waiter of this.#waiters) {
      if (waiter.ticket >= ticket) return;
      yield waiter;
    }
  }

  /** The earlier request of the same owner for the same lock, which its sender sends again. */
  sameAs(request: LockRequest): Waiter | undefined {
    return this.ofOwner(request).find(
      ({ request: other }) => other.name.text === request.name.text && other.mode === request.mode,
    );
  }

  /** The place of a request: the last, or that of before. */
  ticketFor(request: LockRequest, nowMs: number): number {
    return this.#placeOf(request, nowMs)?.ticket ?? this.#lastTicket + 1;
  }

  /** Since when a request has waited, with its waits of before. */
  sinceMs(request: LockRequest, nowMs: number): number {
    return this.#placeOf(request, nowMs)?.sinceMs ?? nowMs;
  }

  add(waiter: Waiter): void {
    const { ticket, request } = waiter;
    this.#places.delete(placeKey(request));
    this.#lastTicket = Math.max(this.#lastTicket, ticket);
    const place = this.#waiters.findLastIndex((other) => other.ticket < ticket) + 1;
    this.#waiters.splice(place, 0, waiter);
    this.#byId.set(waiter.id, waiter);
    const key = ownerKey(request);
    this.#byOwner.set(key, [...(this.#byOwner.get(key) ?? []), waiter]);
    this.#byToken.set(request.token, this.ofToken(request.token) + 1);
    if (request.name.isPattern) this.#patterns++;
  }

  /** @param leftMs - when it left without the lock, and may come back to its place; absent: it got it */
  remove(waiter: Waiter, leftMs?: number): void {
    if (!this.#byId.delete(waiter.id)) return;
    const { request, ticket, sinceMs } = waiter;
    this.#waiters.splice(this.#waiters.indexOf(waiter), 1);
    const key = ownerKey(request);
    const others = (this.#byOwner.get(key) ?? []).filter((other) => other !== waiter);
    if (others.length === 0) this.#byOwner.delete(key);
    else this.#byOwner.set(key, others);
    const left = this.ofToken(request.token) - 1;
    if (left === 0) this.#byToken.delete(request.token);
    else this.#byToken.set(request.token, left);
    if (request.name.isPattern) this.#patterns--;
    if (leftMs === undefined) return;
    if (this.#places.size >= MAX_PLACES) this.#places.clear();
    this.#places.set(placeKey(request), { ticket, sinceMs, leftMs });
  }

  clear(): void {
    for (const waiter of [...this.#waiters]) this.remove(waiter);
  }

  #placeOf(request: LockRequest, nowMs: number): Place | undefined {
    const place = this.#places.get(placeKey(request));
    return place !== undefined && nowMs >= place.leftMs && nowMs - place.leftMs <= PLACE_MS ? place : undefined;
  }
}

const placeKey = (request: LockRequest) => `${request.mode}\n${lockKey(request)}`;
