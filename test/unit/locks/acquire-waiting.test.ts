import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { ApiProblem, EdgeUnreachable } from "../../../src/client/http/problem-errors.ts";
import { acquireWaiting } from "../../../src/client/locks/acquire-waiting.ts";
import type { LockAcquisition, LockAnswer, LockNotHeld } from "../../../src/core/locks/api.ts";
import { problem } from "../../../src/core/problem/problem.ts";

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

const HELD: LockAnswer = { held: true, name: "a", mode: "exclusive", fence: 7, expires_at: "2026-01-01T00:00:00.000Z" };
const NOT_HELD: LockNotHeld = {
  held: false,
  holder: "x",
  blocked_by: {
    name: "a",
    mode: "exclusive",
    owner: "x",
    fence: 6,
    since: "2026-01-01T00:00:00.000Z",
    expires_at: null,
    task: null,
  },
};

/** An edge whose answers come after the wait that was asked for. */
function edge(...answers: (LockAnswer | Error)[]) {
  const asked: LockAcquisition[] = [];
  const ask = async (one: LockAcquisition) => {
    asked.push(one);
    const answer = answers.shift() ?? NOT_HELD;
    if (answer instanceof Error) throw answer;
    if (!answer.held) await new Promise((resolve) => setTimeout(resolve, one.wait_ms ?? 0));
    return answer;
  };
  return { asked, waits: () => asked.map(({ wait_ms }) => wait_ms), ask };
}
const options = { owner: "y", ttlMs: 1_000 };

describe("who asks for a lock", () => {
  it("asks once without waiting, says for whom it waits, and then waits by requests of bounded length", async () => {
    const { ask, waits } = edge(NOT_HELD, NOT_HELD, HELD);
    const onWait = vi.fn();
    const acquired = acquireWaiting(ask, { ...options, onWait });
    await vi.runAllTimersAsync();
    expect((await acquired).answer).toEqual(HELD);
    expect(waits()).toEqual([0, 10_000, 10_000]);
    expect(onWait.mock.calls).toEqual([[NOT_HELD]]);
  });

  it("waits no longer than it was told, and not at all with 0", async () => {
    for (const [waitMs, expected] of [
      [0, [0]],
      [15_000, [0, 10_000, 5_000]],
    ] as const) {
      const { ask, waits } = edge();
      const acquired = acquireWaiting(ask, { ...options, waitMs });
      await vi.runAllTimersAsync();
      expect((await acquired).answer).toEqual(NOT_HELD);
      expect(waits()).toEqual(expected);
    }
  });

  it("does not wait where it would close a cycle", async () => {
    const cycle = [{ owner: "y", waits_for: "a", held_by: "x" }];
    const { ask } = edge(NOT_HELD, { ...NOT_HELD, cycle });
    const acquired = acquireWaiting(ask, options);
    await vi.runAllTimersAsync();
    expect((await acquired).answer).toMatchObject({ cycle });
  });

  it("asks again where no edge answers, and where one is restarted, but not where it is refused", async () => {
    const away = new EdgeUnreachable("http://edge.test", new Error("refused"));
    const restarted = new ApiProblem(problem("wait-lost", 503, "The wait ended early"), 2_000);
    const passing = edge(away, restarted, HELD);
    const acquired = acquireWaiting(passing.ask, options);
    await vi.runAllTimersAsync();
    expect((await acquired).answer).toEqual(HELD);
    const refused = edge(new ApiProblem(problem("no-scope", 403, "The token lacks the scope")));
    await expect(acquireWaiting(refused.ask, options)).rejects.toThrow("lacks the scope");
  });

  it("ends when it is told to", async () => {
    const leaving = new AbortController();
    const away = () => new EdgeUnreachable("http://edge.test", new Error("refused"));
    const { ask } = edge(away(), away(), away());
    const acquired = acquireWaiting(ask, { ...options, signal: leaving.signal });
    const outcome = expect(acquired).rejects.toThrow("enough");
    await vi.advanceTimersByTimeAsync(500);
    leaving.abort(new Error("enough"));
    await outcome;
  });
});
