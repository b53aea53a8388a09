import { type LockAcquisition, LockAnswer, LockHeld, type LockNotHeld, LockReleased } from "../../core/locks/api.ts";
import type { CallEdge } from "../http/request.ts";
import { acquireWaiting, type LockOptions, passes } from "./acquire-waiting.ts";
import { type Holding, isLost, LockKeeper } from "./lock-keeper.ts";

export interface LockCalls {
  readonly call: CallEdge;
  readonly inside: (path: string) => string;
}

/** Added to the time-out of a request that waits, for the network. */
const NETWORK_MS = 10_000;

/** The lock is held by somebody else, and the time to wait for it is over. */
export class LockNotAvailable extends Error {
  override readonly name = "LockNotAvailable";
  readonly answer: LockNotHeld;

  constructor(lock: string, answer: LockNotHeld) {
    const { holder, blocked_by: by, cycle } = answer;
    super(
      cycle === undefined
        ? `the lock ${lock} is not to be had: ${holder} ${by.fence === null ? "waits for" : "holds"} ${by.name} since ${by.since}`
        : `the lock ${lock} is refused, since all would wait for each other: ${cycle.map(({ owner, waits_for, held_by }) => `${owner} waits for ${waits_for} of ${held_by}`).join(", ")}`,
    );
    this.answer = answer;
  }
}

/** A lock that is held, and renewed until it is released. */
export interface KeptLock {
  readonly name: string;
  /** For what the lock protects, which refuses a lower one than it has seen. */
  readonly fence: number;
  /** Aborted when the lock is lost: what it protects is to be left alone at once. */
  readonly signal: AbortSignal;
  /** Ends the holding. A lock that is lost is released already. */
  release(): Promise<void>;
}

/** The three requests by which a lock is held. */
export interface LockEdge {
  /** One request. It waits `wait_ms`, a minute at most. */
  acquire(name: string, asked: LockAcquisition, signal?: AbortSignal): Promise<LockAnswer>;
  renew(name: string, fence: number, ttlMs: number, timeoutMs?: number): Promise<LockHeld>;
  release(name: string, fence: number): Promise<{ readonly released: true }>;
}

/** Over HTTP, a call for each. */
export function httpLocks({ call, inside }: LockCalls): LockEdge {
  const at = (name: string, action: string) => inside(`/locks/${encodeURIComponent(name)}/${action}`);
  return {
    acquire: (name, asked, signal) =>
      call(LockAnswer, {
        method: "POST",
        path: at(name, "acquire"),
        body: asked,
        timeoutMs: (asked.wait_ms ?? 0) + NETWORK_MS,
        signal,
      }),
    renew: (name, fence, ttlMs, timeoutMs) =>
      call(LockHeld, { method: "POST", path: at(name, "renew"), body: { fence, ttl_ms: ttlMs }, timeoutMs }),
    release: (name, fence) => call(LockReleased, { method: "POST", path: at(name, "release"), body: { fence } }),
  };
}

/**
 * From when the TTL of a lock is counted that was just acquired. After a wait nobody here knows when it was given, from where the edge
 * counts it; a renewal says so.
 *
 * @returns `undefined`: it is to be asked for again. It has expired while its answer was on the way, or nobody knows; the owner
 * that asks again for what it holds has the same lock.
 */
async function countedFrom(edge: LockEdge, { name, fence, ttlMs, askedMs }: Holding): Promise<number | undefined> {
  const nowMs = performance.now();
  if (nowMs - askedMs <= ttlMs / 3) return askedMs;
  try {
    await edge.renew(name, fence, ttlMs, ttlMs);
    return nowMs;
  } catch (error) {
    if (passes(error) || isLost(error)) return undefined;
    throw error;
  }
}

/** What is made of the three requests. @param requestMs - one request waits so long at most */
export function locksOver(edge: LockEdge, requestMs?: number) {
  const acquireLong = (name: string, options: LockOptions) =>
    acquireWaiting((asked, signal) => edge.acquire(name, asked, signal), options, requestMs);
  /**
   * Acquires a lock, waits for it as long as `waitMs` says, and renews it until it is released.
   *
   * @throws LockNotAvailable where it is not to be had; the reason of `signal` when it is aborted
   */
  const hold = async (name: string, options: LockOptions): Promise<KeptLock> => {
    const { ttlMs, waitMs = Number.POSITIVE_INFINITY } = options;
    const untilMs = performance.now() + waitMs;
    for (;;) {
      const { answer, askedMs } = await acquireLong(name, {
        ...options,
        waitMs: Math.max(0, untilMs - performance.now()),
      });
      if (!answer.held) throw new LockNotAvailable(name, answer);
      const { fence } = answer;
      const sinceMs = await countedFrom(edge, { name, fence, ttlMs, askedMs });
      if (sinceMs !== undefined) return new LockKeeper({ name, fence, ttlMs, askedMs: sinceMs }, edge);
    }
  };
  return {
    /** Asks, and waits as long as `waitMs` says, by as many requests as that takes. Nobody renews the lock. */
    acquireWaiting: async (name: string, options: LockOptions) => (await acquireLong(name, options)).answer,
    hold,
    /**
     * Does work while a lock is held. `signal` of the lock is aborted when it is lost, or when `options.signal` is.
     *
     * @throws what the work throws; LockNotAvailable where the lock is not to be had
     */
    withLock: async <Result>(
      name: string,
      options: LockOptions,
      work: (lock: KeptLock) => Promise<Result> | Result,
    ): Promise<Result> => {
      const lock = await hold(name, options);
      const { signal } = options;
      try {
        const both = signal === undefined ? lock.signal : AbortSignal.any([lock.signal, signal]);
        return await work({ name, fence: lock.fence, signal: both, release: () => lock.release() });
      } finally {
        await lock.release();
      }
    },
  };
}
