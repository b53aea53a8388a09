import { conflicts, type Hold, type LockRequest, lockKey, ownerKey } from "./hold.ts";

/** The locks that are held, by fence, name and owner. */
export class HoldIndex {
  readonly #byFence = new Map<number, Hold>();
  readonly #byName = new Map<string, Set<Hold>>();
  readonly #byOwner = new Map<string, Set<Hold>>();
  readonly #own = new Map<string, Hold>();
  readonly #byToken = new Map<string, number>();
  readonly #patterns = new Set<Hold>();

  get size(): number {
    return this.#byFence.size;
  }

  get patterns(): number {
    return this.#patterns.size;
  }

  get(fence: number): Hold | undefined {
    return this.#byFence.get(fence);
  }

  /** In the order of their fences: fences rise. */
  values(): IterableIterator<Hold> {
    return this.#byFence.values();
  }

  ofToken(token: string): number {
    return this.#byToken.get(token) ?? 0;
  }

  add(hold: Hold): void {
    this.#byFence.set(hold.fence, hold);
    addTo(this.#byName, hold.name.text, hold);
    addTo(this.#byOwner, ownerKey(hold), hold);
    this.#own.set(lockKey(hold), hold);
    this.#byToken.set(hold.token, this.ofToken(hold.token) + 1);
    if (hold.name.isPattern) this.#patterns.add(hold);
  }

  delete(hold: Hold): void {
    if (!this.#byFence.delete(hold.fence)) return;
    deleteFrom(this.#byName, hold.name.text, hold);
    deleteFrom(this.#byOwner, ownerKey(hold), hold);
    this.#own.delete(lockKey(hold));
    const left = this.ofToken(hold.token) - 1;
    if (left === 0) this.#byToken.delete(hold.token);
    else this.#byToken.set(hold.token, left);
    this.#patterns.delete(hold);
  }

  /** What the owner holds under exactly this name. */
  own(request: LockRequest): Hold | undefined {
    return this.#own.get(lockKey(request));
  }

  /** Of one owner. */
  ofOwner(owner: Pick<LockRequest, "owner" | "token">): ReadonlySet<Hold> {
    return this.#byOwner.get(ownerKey(owner)) ?? NONE;
  }

  /** Whoever holds exactly this name. */
  named(name: string): Hold | undefined {
    for (const hold of this.#byName.get(name) ?? NONE) return hold;
    return undefined;
  }

  /** What stands in the way of a request. A name without wildcards meets its own name, and patterns. */
  *against(request: LockRequest): Iterable<Hold> {
    const { name } = request;
    const candidates = name.isPattern ? [this.#byFence] : [this.#byName.get(name.text) ?? NONE, this.#patterns];
    for (const some of candidates) for (const hold of some.values()) if (conflicts(hold, request)) yield hold;
  }
}

const NONE: ReadonlySet<Hold> = new Set();

function addTo(index: Map<string, Set<Hold>>, key: string, hold: Hold): void {
  const there = index.get(key);
  if (there === undefined) index.set(key, new Set([hold]));
  else there.add(hold);
}

function deleteFrom(index: Map<string, Set<Hold>>, key: string, hold: Hold): void {
  const there = index.get(key);
  there?.delete(hold);
  if (there?.size === 0) index.delete(key);
}
