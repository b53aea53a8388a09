import { describe, expect, test } from "vitest";
import { admitBySchema, admitSignal, admitWellFormed } from "../../../src/core/signals/admit.ts";
import { LIMITS } from "../../../src/core/signals/limits.ts";
import fc from "../../fast-check.ts";

const well = { signal: "Q_THING_DONE", source: "me", facts: { a: 1 } };

describe("letting signals in", () => {
  test("the fast path agrees with the schema wherever it does not ask it", () => {
    const names = fc.constantFrom(
      "Q_A_B",
      "OBSERVATION",
      "CAPABILITY_GAP",
      "Q_DREAM_TRIGGER",
      "1bad",
      "",
      "Q_CURIOSITY_INVESTIGATE",
    );
    const scalar = fc.oneof(fc.string(), fc.integer(), fc.double(), fc.boolean(), fc.constant(null), fc.constant(-0));
    const facts = fc.oneof(
      fc.dictionary(fc.constantFrom("zooid", "zooid_name", "ok", "ttr_ms", "niche", "incident_id", "x"), scalar),
      fc.constant({ zooid: "r", ok: true, ttr_ms: 1.5 }),
      fc.constant({ reason: "r", topic: null, promotion_count: 2 }),
      fc.constant({ question: "q", question_id: "1", priority: "high", evidence: ["e"] }),
      scalar,
      fc.array(scalar),
    );
    const input = fc.record(
      {
        signal: fc.oneof(names, scalar),
        source: fc.oneof(fc.constant("me"), scalar),
        facts,
        timestamp: fc.oneof(
          fc.constant("2026-01-31T12:00:00.000Z"),
          fc.constant("2026-02-30T99:00:00.000Z"),
          fc.double(),
          scalar,
        ),
        id: fc.oneof(fc.constant("id.1"), scalar),
        cause: fc.oneof(fc.constant("id.0"), scalar),
        trace: fc.oneof(fc.constant(`00-${"a".repeat(32)}-${"b".repeat(16)}-01`), scalar),
        seq: scalar,
        depth: fc.oneof(fc.constantFrom(0, 1, 16, 1_001, -1, 1.5), scalar),
        extra: scalar,
      },
      { requiredKeys: [] },
    );
    fc.assert(
      fc.property(input, (signal) => {
        const fast = admitWellFormed(signal);
        if (fast !== undefined) expect(admitBySchema(signal)).toEqual({ ok: true, signal: fast });
      }),
      { numRuns: 5_000 },
    );
  });

  test.each([
    ["a missing name", { source: "me", facts: {} }, "/signal"],
    ["a missing source", { signal: "Q_A_B", facts: {} }, "/source"],
    ["facts that are a list", { ...well, facts: [] }, "/facts"],
    ["a misspelt field", { ...well, sorce: "me" }, "/sorce"],
    ["a time that is none", { ...well, timestamp: "yesterday" }, "/timestamp"],
    ["a trace that is none", { ...well, trace: "abc" }, "/trace"],
    ["an id with a slash", { ...well, id: "a/b" }, "/id"],
    ["a known signal with wrong facts", { ...well, signal: "Q_DREAM_TRIGGER" }, "/facts/reason"],
    ["an observation of nobody", { ...well, signal: "OBSERVATION" }, "/facts/zooid"],
    [
      "an unknown priority",
      { ...well, signal: "Q_CURIOSITY_INVESTIGATE", facts: { question: "q", question_id: "1", priority: "urgent" } },
      "/facts/priority",
    ],
  ])("%s is refused, and pointed at", (_, input, pointer) => {
    const admission = admitSignal(input, "/3");
    expect(admission.ok ? [] : admission.errors.map((error) => error.pointer)).toContain(`/3${pointer}`);
  });

  test("a signal of exactly the limit passes, one byte more does not", () => {
    const filled = (bytes: number) => ({ ...well, facts: { a: "é".repeat((bytes - 8) / 2) } });
    expect(admitSignal(filled(LIMITS.signalBytes)).ok).toBe(true);
    expect(admitSignal({ ...well, facts: { a: `${"é".repeat((LIMITS.signalBytes - 8) / 2)}x` } }).ok).toBe(false);
  });

  test("what was read from the log can be sent again as it is", () => {
    const read = { ...well, seq: 7, received_at: "2026-01-31T12:00:00.000Z", ecosystem: "default", depth: 2 };
    expect(admitSignal(read)).toEqual(admitSignal(well));
  });

  test("the length of a chain of causes counts where a cause is named", () => {
    const depth = (input: object) => {
      const admission = admitSignal({ ...well, ...input });
      return admission.ok ? admission.signal.depth : "refused";
    };
    expect([2, 5_000, 0, -1, 1.5, "2"].map((given) => depth({ cause: "s1.abc", depth: given }))).toEqual([
      2,
      1_000,
      undefined,
      undefined,
      undefined,
      undefined,
    ]);
    expect(depth({ depth: 2 })).toBeUndefined();
  });

  test("facts nested beyond what the stack can write are refused, not thrown", () => {
    let facts: unknown = 1;
    for (let level = 0; level < 200_000; level++) facts = [facts];
    expect(admitSignal({ ...well, facts: { facts } }).ok).toBe(false);
  });
});
