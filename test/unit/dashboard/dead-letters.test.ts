import { describe, expect, test } from "vitest";
import { countMatches, filterOf, replayMatches } from "../../../dashboard/dead-letters/filter.ts";
import { groupsOf, shapeOf, sharedText } from "../../../dashboard/dead-letters/groups.ts";
import type { BulkAnswer } from "../../../src/core/dead-letters/api.ts";
import type { DeadLetter } from "../../../src/core/dead-letters/dead-letter.ts";

const letter = (id: string, error: string, change: Partial<DeadLetter> = {}): DeadLetter => ({
  id,
  kind: "task",
  error,
  daemon: "ganglion/queue/builds",
  attempts: 1,
  first_failed_at: "2026-01-31T12:00:00.000Z",
  last_failed_at: "2026-01-31T12:00:00.000Z",
  ...change,
});

describe("groups of dead letters", () => {
  test("hold errors together that differ only in numbers, ids and quoted values", () => {
    const groups = groupsOf([
      letter("1", 'exit 1 after 300 ms in "a.ts"'),
      letter("2", 'exit 127 after 4.5 ms in "b.ts"', { last_failed_at: "2026-01-31T13:00:00.000Z" }),
      letter("3", "no such branch"),
    ]);
    expect(groups.map(({ count, error }) => [count, error])).toEqual([
      [2, 'exit 1 after 300 ms in "a.ts"'],
      [1, "no such branch"],
    ]);
    expect(groups[0]?.lastAt).toBe("2026-01-31T13:00:00.000Z");
  });

  test("keep apart what different components gave up", () => {
    expect(groupsOf([letter("1", "x"), letter("2", "x", { daemon: "agent/intents" })])).toHaveLength(2);
  });

  test("see one error in two ids", () => {
    expect(shapeOf("no task 01980f3c-aaaa-7bbb in queue")).toBe(shapeOf("no task 01980f3d-cccc-7ddd in queue"));
  });

  test("are selected by a text that all their errors hold", () => {
    const [group] = groupsOf([
      letter("1", 'exit 1 after "a" in the build'),
      letter("2", 'exit 9 after "b" in the build'),
    ]);
    const text = group === undefined ? "" : sharedText(group);
    expect(text).toBe("in the build");
  });
});

const answer = (change: Partial<BulkAnswer>): BulkAnswer => ({
  dry_run: true,
  matched: 0,
  done: 0,
  failed: [],
  dead_letters: [],
  next: null,
  ...change,
});

describe("a bulk action on dead letters", () => {
  test("takes the filter that the URL names, and nothing that the edge would refuse", () => {
    expect(filterOf({ kind: "task", daemon: " ganglion/* ", host: "", text: "exit", sel: "x" })).toEqual({
      kind: "task",
      daemon: "ganglion/*",
      text: "exit",
    });
    expect(filterOf({ kind: "nonsense" })).toEqual({});
  });

  test("counts over all pages, without changing anything", async () => {
    const asked: unknown[] = [];
    const pages = [answer({ matched: 100, next: "p2" }), answer({ matched: 7 })];
    const count = await countMatches(
      {
        replayAll: async (_filter, options) => {
          asked.push(options);
          return pages.shift() ?? answer({});
        },
      },
      {},
    );
    expect(count).toBe(107);
    expect(asked).toEqual([
      { dryRun: true, after: undefined },
      { dryRun: true, after: "p2" },
    ]);
  });

  test("says after each page how many are done and which failed, and why", async () => {
    const failed = [
      { id: "l3", problem: { type: "about:blank", title: "Full", status: 503, detail: "the queue is full" } },
    ];
    const pages = [answer({ matched: 2, done: 2, next: "p2" }), answer({ matched: 2, done: 1, failed })];
    const seen: unknown[] = [];
    const end = await replayMatches(
      async () => pages.shift() ?? answer({}),
      {},
      (progress) => seen.push(progress),
    );
    expect(seen).toHaveLength(2);
    expect(end).toEqual({ done: 3, all: 4, failed: [{ id: "l3", why: "the queue is full" }] });
  });
});
