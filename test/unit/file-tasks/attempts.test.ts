import { describe, expect, it } from "vitest";
import { afterFailure, afterTakeOver, beginAttempt, type RunRecord } from "../../../src/core/file-tasks/attempts.ts";
import fc from "../../fast-check.ts";

const fresh: RunRecord = { claimed_at: "2026-01-01T00:00:00.000Z", history: [] };
const retry = { attempts: 4, initial_ms: 1_000, max_ms: 60_000 };

describe("attempts at a file task", () => {
  it("follow after delays of 1 s, 2 s and 4 s", () => {
    let record = fresh;
    const delays: number[] = [];
    for (let nowMs = 0; delays.length < 3; nowMs += 100_000) {
      const next = afterFailure(beginAttempt(record, "a", nowMs), "no", retry, "a", nowMs);
      expect(next.step).toBe("retry");
      record = next.record;
      delays.push((record.not_before_ms ?? 0) - nowMs);
    }
    expect(delays).toEqual([1_000, 2_000, 4_000]);
  });

  it("count the attempt of a dead owner, and continue without a delay", () => {
    const next = afterTakeOver(beginAttempt(fresh, "a", 0), retry, "b", 5_000);
    expect(next.record.history).toEqual([
      {
        attempt: 1,
        started_at: "1970-01-01T00:00:00.000Z",
        ended_at: "1970-01-01T00:00:05.000Z",
        host: "a",
        error: "the owner of the task ended during the attempt",
      },
    ]);
    expect(next.record.not_before_ms).toBeUndefined();
    expect(afterTakeOver(fresh, retry, "b", 5_000)).toEqual({ step: "retry", record: fresh });
  });

  it("end after the maximum number, however each attempt ends", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 20 }),
        fc.infiniteStream(fc.constantFrom("failed", "owner died", "stopped")),
        (attempts, ends) => {
          let record = fresh;
          let counted = 0;
          for (const end of ends) {
            const begun = beginAttempt(record, "a", counted);
            expect([begun.running?.attempt, begun.not_before_ms]).toEqual([counted + 1, undefined]);
            if (end === "stopped") {
              const { running: _, ...rest } = begun;
              record = rest;
              continue;
            }
            const settings = { ...retry, attempts };
            const next =
              end === "owner died"
                ? afterTakeOver(begun, settings, "a", counted)
                : afterFailure(begun, "no", settings, "a", counted);
            record = next.record;
            counted += 1;
            expect(record.running).toBeUndefined();
            expect(record.history.map(({ attempt }) => attempt)).toEqual(
              Array.from({ length: counted }, (_, place) => place + 1),
            );
            expect(next.step).toBe(counted === attempts ? "dead_letter" : "retry");
            if (counted === attempts) return;
          }
        },
      ),
      { numRuns: 300 },
    );
  });
});
