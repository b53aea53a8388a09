import { describe, expect, it } from "vitest";
import { ApiProblem } from "../../../src/client/http/problem-errors.ts";
import { newRetrier } from "../../../src/client/http/retry.ts";

const busy = (retryAfterMs?: number) =>
  new ApiProblem({ type: "/problems/overloaded", title: "Too much at once", status: 503 }, retryAfterMs);
const refused = new ApiProblem({ type: "/problems/forbidden", title: "Not allowed", status: 403 });

function failing(...errors: Error[]) {
  const attempts = { count: 0 };
  return {
    attempts,
    attempt: async () => {
      const error = errors[attempts.count++];
      if (error !== undefined) throw error;
      return "done";
    },
  };
}

describe("a call that is retried", () => {
  it("is made again while its error may pass, and not after another error", async () => {
    const retried = newRetrier({ maxDelayMs: 1 });
    const passing = failing(busy(), busy());
    expect([await retried(passing.attempt), passing.attempts.count]).toEqual(["done", 3]);
    const final = failing(busy(), refused);
    await expect(retried(final.attempt)).rejects.toBe(refused);
    expect(final.attempts.count).toBe(2);
  });

  it("fails with the last error after as many retries as are allowed", async () => {
    const { attempt, attempts } = failing(busy(), busy(), busy(), busy());
    await expect(newRetrier({ retries: 2, maxDelayMs: 1 })(attempt)).rejects.toBeInstanceOf(ApiProblem);
    expect(attempts.count).toBe(3);
  });

  it("waits as long as the edge asks, and no longer once its signal is aborted", async () => {
    const retried = newRetrier({ maxDelayMs: 1 });
    const started = performance.now();
    await retried(failing(busy(30)).attempt);
    expect(performance.now() - started).toBeGreaterThanOrEqual(29);
    const stopping = new AbortController();
    const waiting = retried(failing(busy(3_600_000)).attempt, stopping.signal);
    stopping.abort(new Error("enough"));
    await expect(waiting).rejects.toThrow("enough");
  });
});
