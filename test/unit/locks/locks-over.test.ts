import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { ApiProblem, EdgeUnreachable } from "../../../src/client/http/problem-errors.ts";
import { type LockEdge, locksOver } from "../../../src/client/locks/locks-over.ts";
import { problem } from "../../../src/core/problem/problem.ts";

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

/** An edge that gives a lock of 30 s after a wait of 50 s, and answers renewals as it is told. */
function edgeWithAWait(...renewals: (Error | undefined)[]) {
  const asked: string[] = [];
  const held = { held: true, name: "a", mode: "exclusive", fence: 7, expires_at: "2026-01-01T00:00:00.000Z" } as const;
  const edge: LockEdge = {
    acquire: async () => {
      asked.push("acquire");
      if (asked.length === 1) await new Promise((resolve) => setTimeout(resolve, 50_000));
      return held;
    },
    renew: async () => {
      asked.push("renew");
      const refusal = renewals.shift();
      if (refusal !== undefined) throw refusal;
      return held;
    },
    release: async () => ({ released: true }),
  };
  const lock = locksOver(edge, 60_000).hold("a", { owner: "o", ttlMs: 30_000 });
  return { asked, lock };
}

describe("a lock that was waited for longer than its TTL", () => {
  it("is renewed at once, and is not taken for lost", async () => {
    const { asked, lock } = edgeWithAWait();
    await vi.advanceTimersByTimeAsync(50_000);
    const { signal } = await lock;
    await vi.advanceTimersByTimeAsync(29_000);
    expect([asked, signal.aborted]).toEqual([["acquire", "renew", "renew", "renew"], false]);
  });

  it.each([
    ["has expired on the way", new ApiProblem(problem("lock-not-held", 409, "The fence is not the current one"))],
    ["cannot be renewed then", new EdgeUnreachable("http://edge.test", new Error("refused"))],
  ])("is asked for again where it %s", async (_, refusal) => {
    const { asked, lock } = edgeWithAWait(refusal);
    await vi.advanceTimersByTimeAsync(50_000);
    const { signal } = await lock;
    await vi.advanceTimersByTimeAsync(9_000);
    expect([asked, signal.aborted]).toEqual([["acquire", "renew", "acquire"], false]);
  });
});
