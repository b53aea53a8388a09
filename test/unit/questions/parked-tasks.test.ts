import { describe, expect, it } from "vitest";
import type { AwaitedAnswer } from "../../../src/core/queue/awaited-answer.ts";
import { DEFAULT_SETTINGS } from "../../../src/core/queue/queue-settings.ts";
import fc from "../../fast-check.ts";
import { aTask, QueueUnderTest } from "../queue/queue-under-test.ts";

const UNTIL = 1_000_000;
const answer: AwaitedAnswer = { question: "q", state: "answered", answer: "yes", answered_by: "ops", at: "2026-01-01" };

/** What may happen between the worker's request to park and its return, in any order and any number of times. */
const anyStep = fc.constantFrom("watch", "watch", "answer", "tell", "tell", "park", "park", "crash", "pass");

describe("a task that waits for an answer", () => {
  it("comes back once, with the answer, in whatever order it is parked, answered and told, over crashes and doubled calls", () => {
    fc.assert(
      fc.property(fc.array(anyStep, { maxLength: 30 }), (steps) => {
        const real = new QueueUnderTest({ ...DEFAULT_SETTINGS, backoff_ms: 1 });
        real.enqueue([aTask({ taskId: "t", maxAttempts: 1, deadlineMs: 5_000 })]);
        const lease = real.lease("coder", 900_000)?.lease?.id ?? "";
        // The object of the questions: durable.
        let [answered, watched, toTell] = [false, false, false];
        const tell = () => {
          if (toTell) real.change((queue, nowMs) => queue.parking.answer("t", answer, nowMs));
        };
        const park = () => {
          // As the route does: first the watch.
          if (answered) toTell ||= watched;
          else watched = true;
          const over = answered ? answer : undefined;
          const wish = { why: "waits for an answer of ops", question: "q", untilMs: UNTIL, over };
          return real.change((queue, nowMs) => queue.parking.park("t", lease, wish, nowMs));
        };
        for (const step of steps) {
          if (step === "watch") watched ||= !answered;
          if (step === "answer") [answered, toTell] = [true, toTell || watched];
          if (step === "tell") tell();
          if (step === "park") park();
          if (step === "crash") real.crash();
          if (step === "pass") real.pass(1_000);
        }
        // Everything that is repeated until it has come through.
        park();
        answered = true;
        toTell ||= watched;
        tell();
        tell();
        real.pass(10_000);
        const back = real.lease("coder");
        expect([back?.taskId, back?.attempt, back?.answers]).toEqual(["t", 1, [answer]]);
        expect(real.lease("coder")).toBeUndefined();
        tell();
        expect(real.lease("coder")).toBeUndefined();
        expect(real.complete("t", back?.lease?.id ?? "")).toEqual({ ok: true, status: "complete" });
      }),
      { numRuns: 1_000 },
    );
  });

  it("says what it waits for while it waits, holds no worker, and takes no attempt", () => {
    const real = new QueueUnderTest(DEFAULT_SETTINGS);
    real.enqueue([aTask({ taskId: "t" })]);
    const lease = real.lease("coder")?.lease?.id ?? "";
    const wish = { why: "waits for an answer of ops", question: "q", untilMs: UNTIL };
    const park = () => real.change((queue, nowMs) => queue.parking.park("t", lease, wish, nowMs));
    expect(park()).toEqual({ ok: true, status: "queued" });
    expect(park()).toEqual({ ok: true, status: "queued" });
    real.crash();
    expect(real.queue.find("t")).toMatchObject({
      lease: null,
      attempt: 0,
      waitsFor: { why: "waits for an answer of ops", question: "q" },
    });
    expect(real.queue.find("t")?.history.map(({ event }) => event)).toEqual(["queued", "leased", "parked"]);
    expect(real.lease("coder")).toBeUndefined();
  });

  it("comes back without an answer when nobody tells of one for too long", () => {
    const real = new QueueUnderTest(DEFAULT_SETTINGS);
    real.enqueue([aTask({ taskId: "t" })]);
    const lease = real.lease("coder")?.lease?.id ?? "";
    real.change((queue, nowMs) =>
      queue.parking.park("t", lease, { why: "waits", question: "q", untilMs: UNTIL }, nowMs),
    );
    real.pass(UNTIL - 1);
    expect(real.lease("coder")).toBeUndefined();
    real.pass(1);
    const back = real.lease("coder");
    expect([back?.attempt, back?.waitsFor, back?.answers]).toEqual([1, undefined, undefined]);
    // The answer that comes late stays with the task.
    real.change((queue, nowMs) => queue.parking.answer("t", answer, nowMs));
    expect(real.queue.find("t")).toMatchObject({ answers: [answer], lease: { id: back?.lease?.id } });
  });

  it("is told by nobody but the holder of its lease to wait", () => {
    const real = new QueueUnderTest(DEFAULT_SETTINGS);
    real.enqueue([aTask({ taskId: "t" })]);
    real.lease("coder");
    const wish = { why: "waits", question: "q", untilMs: UNTIL };
    const park = (id: string) => real.change((queue, nowMs) => queue.parking.park(id, "another", wish, nowMs));
    expect([park("t"), park("never")]).toEqual([
      { ok: false, reason: "lost" },
      { ok: false, reason: "unknown" },
    ]);
  });
});
