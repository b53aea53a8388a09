import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { ApiProblem, EdgeUnreachable } from "../../../src/client/http/problem-errors.ts";
import { LockKeeper, LockLost } from "../../../src/client/locks/lock-keeper.ts";
import { problem } from "../../../src/core/problem/problem.ts";

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

const gone = () => new ApiProblem(problem("lock-not-held", 409, "The fence is not the current one"));
const unreachable = () => new EdgeUnreachable("http://edge.test", new Error("refused"));

/** A lock of nine seconds, and an edge that answers as it is told. */
function kept(answers: (renewal: number) => Promise<unknown> = async () => ({})) {
  const renewals: number[] = [];
  const released: number[] = [];
  const edge = {
    renew: (_: string, fence: number) => {
      renewals.push(fence);
      return answers(renewals.length);
    },
    release: async (_: string, fence: number) => {
      released.push(fence);
    },
  };
  const lock = new LockKeeper({ name: "a", fence: 7, ttlMs: 9_000, askedMs: performance.now() }, edge);
  return { lock, renewals, released };
}

describe("a lock that is kept", () => {
  it("is renewed after each third of its TTL, and released once", async () => {
    const { lock, renewals, released } = kept();
    await vi.advanceTimersByTimeAsync(60_000);
    expect([renewals.length, lock.signal.aborted]).toEqual([20, false]);
    await Promise.all([lock.release(), lock.release()]);
    await vi.advanceTimersByTimeAsync(60_000);
    expect([renewals.length, released]).toEqual([20, [7]]);
    expect(lock.signal.aborted).toBe(false);
  });

  it("is lost when the edge says that the fence is not the current one, and is not released then", async () => {
    const { lock, released } = kept(() => Promise.reject(gone()));
    await vi.advanceTimersByTimeAsync(3_000);
    expect(lock.signal.reason).toBeInstanceOf(LockLost);
    await lock.release();
    expect(released).toEqual([]);
  });

  it("is renewed again soon where no edge answers, and lost at the end of its TTL, not later", async () => {
    const { lock, renewals } = kept(() => Promise.reject(unreachable()));
    await vi.advanceTimersByTimeAsync(8_999);
    expect([renewals.length, lock.signal.aborted]).toEqual([7, false]);
    await vi.advanceTimersByTimeAsync(1);
    expect(lock.signal.aborted).toBe(true);
    await vi.advanceTimersByTimeAsync(60_000);
    expect(renewals).toHaveLength(7);
  });

  it("goes on where an edge answers again in time", async () => {
    const { lock } = kept((renewal) => (renewal < 5 ? Promise.reject(unreachable()) : Promise.resolve({})));
    await vi.advanceTimersByTimeAsync(60_000);
    expect(lock.signal.aborted).toBe(false);
    await lock.release();
  });

  it("counts its TTL from when the request was sent, however late the answer comes", async () => {
    const { lock } = kept(() => new Promise(() => undefined));
    await vi.advanceTimersByTimeAsync(9_000);
    expect(lock.signal.aborted).toBe(true);
  });

  it("is released where the edge says that it is not held any more", async () => {
    const edge = { renew: async () => ({}), release: () => Promise.reject(gone()) };
    const lock = new LockKeeper({ name: "a", fence: 7, ttlMs: 9_000, askedMs: performance.now() }, edge);
    await expect(lock.release()).resolves.toBeUndefined();
  });
});
