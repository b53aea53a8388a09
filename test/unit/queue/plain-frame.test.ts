import { describe, expect, it } from "vitest";
import { readPlainFrame } from "../../../src/core/queue/plain-frame.ts";
import { admitTask, isPlainTask } from "../../../src/core/queue/task-input.ts";
import { WorkerFrame } from "../../../src/core/queue/work-frames.ts";
import fc from "../../fast-check.ts";

const TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
/** A good value mostly, so that many documents are good as a whole. */
const mostly = (...good: readonly fc.Arbitrary<unknown>[]) =>
  fc.oneof({ weight: 40, arbitrary: fc.oneof(...good) }, { weight: 1, arbitrary: odd });
const odd = fc.constantFrom<unknown>(
  ...["", "*", "a b", "a/b", "/a", "x".repeat(256), "x".repeat(257), "ä", "\ud800", TRACE, `${TRACE}0`, "1"],
  ...[null, true, false, 0, -0, -1, 1, 0.5, 10, 11, 100, 101, 1_000, 1_001, 300_000, 300_001, 604_800_000, 604_800_001],
  ...[2 ** 53 - 1, 2 ** 53, 1e300, [], {}, [1], { a: 1 }],
);
/** Some of these members beside the usual ones, now and then. */
const beside = (document: fc.Arbitrary<object>, others: Record<string, fc.Arbitrary<unknown>>) =>
  fc
    .tuple(document, fc.oneof({ weight: 9, arbitrary: fc.constant({}) }, fc.record(others, { requiredKeys: [] })))
    .map(([usual, more]) => ({ ...usual, ...more }));
const name = mostly(fc.constantFrom("coder", "a.b_c:d@e~f-g", "x".repeat(256)));
const whole = (least: number, most: number) =>
  mostly(fc.constantFrom(least, most), fc.integer({ min: least, max: most }));
const common = {
  recipient: mostly(fc.constantFrom("*", "coder")),
  payload: fc.jsonValue(),
  sender: mostly(fc.constantFrom("a human being", null)),
  priority: whole(1, 10),
  cause: mostly(fc.constantFrom("c-1", null)),
  trace: mostly(fc.constantFrom(TRACE, null)),
  depth: mostly(fc.constantFrom(1, 1_000, null)),
};
const needs = fc.constantFrom(null, { skills: ["b", "a"] });
const usualTask = fc.record(
  {
    ...common,
    type: name,
    task_id: mostly(fc.constantFrom("t/1", "t.1", "x".repeat(256))),
    delay_ms: whole(0, 604_800_000),
    max_attempts: whole(1, 100),
    timeout_ms: mostly(fc.constantFrom(1, 604_800_000, null)),
    deadline_ms: mostly(fc.constantFrom(1, 604_800_000, null)),
    timestamp: fc.jsonValue(),
  },
  { requiredKeys: ["recipient", "type", "payload"] },
);
const task = beside(usualTask, { needs, payload: fc.constant(undefined), other: odd });
const held = {
  task_id: mostly(fc.constantFrom("t/1", "t1.abc")),
  lease_id: mostly(fc.constantFrom("l", "l".repeat(64))),
};
const some = (item: fc.Arbitrary<unknown>) => mostly(fc.array(item, { minLength: 1, maxLength: 3 }));
const usualFrame = fc.oneof(
  fc.record(
    { type: fc.constant("enqueue"), batch: whole(0, 2 ** 53 - 1), tasks: some(fc.jsonValue()) },
    { requiredKeys: ["type", "batch", "tasks"] },
  ),
  fc.record(
    {
      type: fc.constant("complete"),
      tasks: some(beside(fc.record({ ...held, result: fc.jsonValue() }), { evidence: odd, task_id: odd, other: odd })),
    },
    { requiredKeys: ["type", "tasks"] },
  ),
  fc.record(
    {
      ...common,
      type: fc.constant("call"),
      correlation_id: mostly(fc.constantFrom("c/1", "c-1")),
      task_type: name,
      timeout_ms: whole(1, 300_000),
      max_attempts: whole(1, 100),
      require_responder: mostly(fc.boolean()),
    },
    { requiredKeys: ["type", "correlation_id", "task_type", "recipient", "payload"] },
  ),
);
const frame = beside(usualFrame, { needs, payload: fc.constant(undefined), other: odd });
/** As it comes over the wire. */
const sent = (document: unknown): unknown => JSON.parse(JSON.stringify(document));

describe("tasks and frames in their usual form", () => {
  it("are admitted as the schema of tasks admits them", () => {
    let plain = 0;
    fc.assert(
      fc.property(task, (document) => {
        const input = sent(document) as Record<string, unknown>;
        if (!isPlainTask(input)) return;
        plain++;
        // A need of nothing is for the schema to read, and changes nothing.
        expect(admitTask(input)).toEqual(admitTask({ ...input, needs: null }));
      }),
      { numRuns: 5_000 },
    );
    expect(plain).toBeGreaterThan(200);
  });

  it("are read as the schema of frames reads them", () => {
    const plain = new Map<string, number>();
    fc.assert(
      fc.property(frame, (document) => {
        const input = sent(document);
        const read = readPlainFrame(input);
        if (read === undefined) return;
        plain.set(read.type, (plain.get(read.type) ?? 0) + 1);
        expect(read).toEqual(WorkerFrame.parse(input));
      }),
      { numRuns: 10_000 },
    );
    for (const type of ["enqueue", "complete", "call"]) expect(plain.get(type)).toBeGreaterThan(200);
  });

  it("are not those with members that the schema refuses or leaves out", () => {
    expect(isPlainTask({ recipient: "coder", type: "T", prioritty: 1 })).toBe(false);
    expect(isPlainTask(JSON.parse('{"recipient":"coder","type":"T","__proto__":{}}'))).toBe(false);
    expect(readPlainFrame({ type: "enqueue", batch: 1, tasks: [{}], more: 1 })).toBeUndefined();
    for (const other of [null, 1, "enqueue", [], { type: "ready" }, {}]) expect(readPlainFrame(other)).toBeUndefined();
  });
});
