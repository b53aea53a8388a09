import { describe, expect, it } from "vitest";
import { deadlockText, findDeadlock, OpenCalls, type WaitingCall } from "../../../src/core/queue/deadlock.ts";

const NOW = 100_000;
/** Who calls whom, and since when; written `a>b`. */
const calls = (...pairs: string[]): WaitingCall[] =>
  pairs.map((pair, place) => {
    const [sender = "", recipient = ""] = pair.split(">");
    return { taskId: pair, sender, recipient, createdMs: 1_000 * place };
  });
/** Every agent holds one task and has no room for another, unless something else is said. */
const agents = (held: Record<string, number> = {}, roomy: readonly string[] = []) => ({
  held: (name: string) => held[name] ?? 1,
  hasRoom: (name: string) => roomy.includes(name),
});

describe("a deadlock among agents that wait for each other's calls", () => {
  it("is named by its cycle, and by the oldest call of it", () => {
    const found = findDeadlock(calls("x>a", "a>b", "b>c", "c>a"), agents(), NOW);
    expect(found?.cycle.toSorted()).toEqual(["a", "b", "c"]);
    expect(found?.oldest.taskId).toBe("a>b");
    expect(found && deadlockText(found, NOW)).toMatch(
      /^deadlock: \w → \w → \w → \w wait for each other's calls, .*a, is/,
    );
  });

  it("of an agent that calls itself, and has no room, is one too", () => {
    expect(findDeadlock(calls("a>a"), agents(), NOW)?.cycle).toEqual(["a"]);
  });

  it.each([
    ["one of them has room for one more task", calls("a>b", "b>a"), agents({}, ["b"])],
    ["one of them works on a task that waits for no call", calls("a>b", "b>a"), agents({ b: 2 })],
    ["one of them holds no task, so nobody waits for its answer to go on", calls("a>b", "b>a"), agents({ a: 0 })],
    ["the chain of calls ends at somebody who works", calls("a>b", "b>c"), agents()],
    [
      "the calls are young: an answer may be on its way",
      calls("a>b", "b>a").map((one) => ({ ...one, createdMs: NOW - 9_999 })),
      agents(),
    ],
  ])("is none while %s", (_, open, known) => {
    expect(findDeadlock(open, known, NOW)).toBeUndefined();
  });

  it("is one although an agent waits for an answer of somebody who works, beside the one that never comes", () => {
    expect(findDeadlock(calls("a>b", "a>c", "b>a"), agents(), NOW)?.cycle.toSorted()).toEqual(["a", "b"]);
  });

  it("is looked for ten seconds after a call out of a task, and every ten seconds while there are calls", () => {
    const open = new OpenCalls();
    const [first, second] = calls("a>b", "b>a") as [WaitingCall, WaitingCall];
    open.add(first, false);
    expect(open.dueMs).toBeUndefined();
    open.add(second, true);
    expect(open.dueMs).toBe(11_000);
    expect(open.findDue(agents(), 10_999)).toBeUndefined();
    expect(open.findDue(agents({}, ["a"]), 11_000)).toBeUndefined();
    expect(open.dueMs).toBe(21_000);
    const found = open.findDue(agents(), 21_000);
    expect(found?.oldest).toEqual(first);
    open.delete("a>b");
    // There may be another cycle.
    expect(open.dueMs).toBe(21_001);
    expect(open.findDue(agents(), 21_001)).toBeUndefined();
    expect(open.dueMs).toBe(31_001);
    // Nobody does a task any more whose end could wait for a call.
    expect(open.findDue(agents({ b: 0 }), 31_001)).toBeUndefined();
    expect(open.dueMs).toBeUndefined();
    open.delete("b>a");
    expect(open.dueMs).toBeUndefined();
  });
});
