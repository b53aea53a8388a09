import { describe, expect, it } from "vitest";
import { type PresenceChange, type PresenceLimits, PresenceTracker } from "../../../src/core/hosts/presence-tracker.ts";
import fc from "../../fast-check.ts";

const limits: PresenceLimits = { graceMs: 15_000, silentAfter: 3 };
const linkAt = (openedMs: number, host = "a") => ({ host, openedMs });

describe("PresenceTracker", () => {
  it("reports once that a host is up, however many links it has", () => {
    const book = new PresenceTracker();
    expect(book.linked([linkAt(0), linkAt(5)], 10)).toEqual([
      { host: "a", state: "up", reason: "linked", sinceMs: 10 },
    ]);
    expect(book.linked([linkAt(5), linkAt(20)], 20)).toEqual([]);
  });

  it("ignores a link that returns within the grace period", () => {
    const book = new PresenceTracker();
    book.linked([linkAt(0)], 0);
    book.linked([], 1_000);
    expect(book.nextDueMs(limits)).toBe(16_000);
    expect(book.pass(15_999, limits)).toEqual([]);
    expect(book.linked([linkAt(15_999)], 15_999)).toEqual([]);
    expect(book.nextDueMs(limits)).toBeUndefined();
    expect(book.pass(100_000, limits)).toEqual([]);
  });

  it("reports once that a host is down since its link was lost, and up when a link returns", () => {
    const book = new PresenceTracker();
    book.linked([linkAt(0)], 0);
    book.linked([], 1_000);
    const down = { host: "a", state: "down", reason: "link_lost", sinceMs: 1_000 };
    expect(book.pass(16_000, limits)).toEqual([down]);
    expect(book.pass(99_000, limits)).toEqual([]);
    expect(book.linked([], 99_000)).toEqual([]);
    expect(book.linked([linkAt(99_500)], 99_600)).toMatchObject([{ state: "up", sinceMs: 99_600 }]);
  });

  it("starts the grace period again after the clock was set back", () => {
    const book = new PresenceTracker();
    book.linked([linkAt(0)], 0);
    book.linked([], 1_000_000);
    expect(book.pass(1_000, limits)).toEqual([]);
    expect(book.pass(16_000, limits)).toHaveLength(1);
  });

  it("starts the grace period again when it ended while the edge was away", () => {
    const book = new PresenceTracker();
    book.linked([linkAt(0), linkAt(0, "b")], 0);
    book.linked([], 1_000);
    expect(book.pass(76_000, limits)).toEqual([]);
    expect(book.nextDueMs(limits)).toBe(91_000);
    expect(book.linked([linkAt(80_000)], 80_000)).toEqual([]);
    expect(book.pass(91_000, limits)).toEqual([{ host: "b", state: "down", reason: "link_lost", sinceMs: 1_000 }]);
  });

  it("reports a host as down after a short delay, but not after a long one", () => {
    for (const [lateMs, told] of [
      [5_000, 1],
      [5_001, 0],
    ] as const) {
      const book = new PresenceTracker();
      book.linked([linkAt(0)], 0);
      book.linked([], 1_000);
      expect(book.pass(16_000 + lateMs, limits)).toHaveLength(told);
    }
  });

  it("counts missing answers from 0 after a link returned, and ignores answers without a link", () => {
    const book = new PresenceTracker();
    book.linked([linkAt(0)], 0);
    const silence = (...at: number[]) => at.flatMap((ms) => book.unanswered("a", ms, limits));
    expect(silence(1_000, 2_000)).toEqual([]);
    book.linked([], 3_000);
    book.linked([linkAt(4_000)], 4_000);
    expect(silence(5_000, 6_000)).toEqual([]);
    expect(silence(7_000)).toHaveLength(1);
    book.linked([], 8_000);
    expect(book.answered("a", 9_000)).toEqual([]);
  });

  it("reports a linked host without answers as down, until it answers or opens a new link", () => {
    for (const back of ["answer", "link"] as const) {
      const book = new PresenceTracker();
      book.linked([linkAt(0)], 0);
      book.unanswered("a", 60_000, limits);
      book.answered("a", 61_000);
      for (const minute of [2, 3]) expect(book.unanswered("a", minute * 60_000, limits)).toEqual([]);
      expect(book.unanswered("a", 240_000, limits)).toMatchObject([{ state: "down", reason: "silent" }]);
      expect(book.unanswered("a", 300_000, limits)).toEqual([]);
      expect(book.linked([linkAt(0)], 300_000)).toEqual([]);
      const changes = back === "answer" ? book.answered("a", 400_000) : book.linked([linkAt(350_000)], 400_000);
      expect(changes).toMatchObject([{ state: "up" }]);
    }
  });

  it("reports up and down in turn over any history, and agrees with the links after a quiet grace period", () => {
    const hosts = ["a", "b"];
    const step = fc.oneof(
      fc.record({ do: fc.constant("link" as const), open: fc.subarray(hosts) }),
      fc.record({ do: fc.constant("pass" as const), ms: fc.constantFrom(0, 1, 999, 14_999, 15_000, 15_001, 60_000) }),
      fc.record({ do: fc.constantFrom("answer" as const, "silence" as const), host: fc.constantFrom(...hosts) }),
      fc.record({ do: fc.constant("restart" as const) }),
    );
    const holds = fc.property(fc.array(step, { maxLength: 120 }), (steps) => {
      let book = new PresenceTracker();
      let nowMs = 0;
      const opened = new Map<string, number>();
      const told: PresenceChange[] = [];
      for (const one of steps) {
        if (one.do === "link") {
          for (const host of hosts) {
            if (!one.open.includes(host)) opened.delete(host);
            else if (!opened.has(host)) opened.set(host, nowMs);
          }
          told.push(
            ...book.linked(
              [...opened].map(([host, ms]) => linkAt(ms, host)),
              nowMs,
            ),
          );
        } else if (one.do === "pass") {
          nowMs += one.ms;
          told.push(...book.pass(nowMs, limits));
        } else if (one.do === "answer" && opened.has(one.host)) told.push(...book.answered(one.host, nowMs));
        else if (one.do === "silence") told.push(...book.unanswered(one.host, nowMs, limits));
        else if (one.do === "restart") {
          const stored = book.hosts.map((host) => [host, structuredClone(book.get(host) ?? never())] as const);
          book = new PresenceTracker(stored);
        }
      }
      nowMs += 1;
      told.push(
        ...book.linked(
          [...opened].map(([host, ms]) => linkAt(ms, host)),
          nowMs,
        ),
      );
      for (const host of opened.keys()) told.push(...book.answered(host, nowMs));
      // Twice: a grace that ended while nobody looked begins anew.
      for (let round = 0; round < 2; round++) {
        nowMs += limits.graceMs;
        told.push(...book.pass(nowMs, limits));
      }
      for (const host of hosts) {
        const states = told.filter((change) => change.host === host).map(({ state }) => state);
        expect(states).toEqual(states.map((_, place) => (place % 2 === 0 ? "up" : "down")));
        expect(states.at(-1) ?? "down").toBe(opened.has(host) ? "up" : "down");
      }
    });
    fc.assert(holds, { numRuns: 1_000 });
  });
});

function never(): never {
  throw new Error("a host that the book names is in the book");
}
