import { type Hold, type LockMode, readHold, type Waiter, writeHold } from "../../../src/core/locks/hold.ts";
import { LockName } from "../../../src/core/locks/lock-name.ts";
import { LockTable } from "../../../src/core/locks/lock-table.ts";
import type { Acquired, Claim } from "../../../src/core/locks/outcomes.ts";

export const START = Date.UTC(2026, 0, 1);

export interface Asked {
  readonly name: string;
  readonly owner: string;
  readonly mode?: LockMode;
  readonly ttlMs?: number;
  readonly waitMs?: number;
  readonly token?: string;
  readonly process?: Hold["process"];
}

/** A lock table with a disk: what is written survives a kill, and nothing else. */
export class LocksWorld {
  nowMs = START;
  table = new LockTable();
  disk = new Map<number, string>();
  diskFence = 0;
  /** Holdings that requests which waited were given, by the id of the request. */
  readonly given = new Map<string, Hold>();
  readonly freed: string[] = [];
  /** Who was given a lock by the last change: the object may be lost before they are told. */
  #untold: Waiter[] = [];
  #ids = 0;

  constructor() {
    this.table.load([], 0);
  }

  change<Answer>(work: (nowMs: number) => Answer): Answer {
    const answer = work(this.nowMs);
    for (const fence of this.table.takeChanged()) {
      const hold = this.table.holds.get(fence);
      if (hold === undefined) this.disk.delete(fence);
      else this.disk.set(fence, writeHold(hold));
    }
    this.diskFence = this.table.lastFence;
    const { granted, freed } = this.table.takeEvents();
    for (const { waiter, hold } of granted) this.given.set(waiter.id, hold);
    this.#untold = granted.map(({ waiter }) => waiter);
    for (const { hold, why } of freed) this.freed.push(`${hold.name.text} of ${hold.owner}: ${why}`);
    return answer;
  }

  acquire(asked: Asked): { id: string; answer: Acquired } {
    const { name, owner, mode = "exclusive", ttlMs = 10_000, waitMs = 0, token = "t", process = null } = asked;
    const id = `r${++this.#ids}`;
    const request = { name: new LockName(name), mode, owner, token, ttlMs, task: null, process };
    const answer = this.change((nowMs) => this.table.acquire(request, { id, exempt: false, wait: waitMs > 0 }, nowMs));
    return { id, answer };
  }

  /** The fence, or who stands in the way. */
  try(asked: Asked): number | string {
    const { answer } = this.acquire(asked);
    if ("held" in answer) return answer.held.fence;
    if ("full" in answer) return answer.full;
    const { request } = "waiting" in answer ? answer.waiting : { request: undefined };
    if (request !== undefined) return "waits";
    if (!("blocked" in answer)) throw new Error("an answer of no kind");
    const by = "request" in answer.blocked ? answer.blocked.request : answer.blocked;
    return `${"cycle" in answer && answer.cycle !== undefined ? "cycle " : ""}${by.owner}`;
  }

  claim(name: string, fence: number, more: Partial<Claim> = {}): Claim {
    return { name, fence, owner: undefined, token: "t", admin: false, ...more };
  }

  renew(name: string, fence: number, ttlMs = 10_000, more: Partial<Claim> = {}) {
    return this.change((nowMs) => this.table.renew(this.claim(name, fence, more), ttlMs, nowMs));
  }

  release(name: string, fence: number, more: Partial<Claim> = {}) {
    return this.change((nowMs) => this.table.release(this.claim(name, fence, more), nowMs));
  }

  pass(ms: number): void {
    this.nowMs += ms;
    this.change((nowMs) => this.table.advance(nowMs));
  }

  /** The object ends, and begins again with what is on its disk. */
  kill(): void {
    this.table = new LockTable();
    this.table.load(
      [...this.disk].sort(([one], [other]) => one - other).map(([fence, text]) => readHold(fence, text)),
      this.diskFence,
    );
  }

  /**
   * The object ends, and begins again with what is on its disk, and with those who wait over channels.
   *
   * @param channels - whether a request waits over one
   * @returns those who went on to wait, in their order
   */
  sleep(channels: (place: number) => boolean): Waiter[] {
    const waiting = [...this.#untold, ...this.table.waits.values()].sort((one, other) => one.ticket - other.ticket);
    const kept = waiting.filter((_, place) => channels(place));
    this.kill();
    this.change((nowMs) => this.table.restore(kept, nowMs));
    return kept;
  }

  holdersOf(name: string): string[] {
    const asked = new LockName(name);
    return [...this.table.holds.values()].filter((hold) => hold.name.overlaps(asked)).map(({ owner }) => owner);
  }
}
