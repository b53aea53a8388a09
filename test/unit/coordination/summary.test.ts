import { describe, expect, test } from "vitest";
import { type Outcome, rowsOf, table } from "../../../examples/coordination/summary.ts";
import type { Entry } from "../../../examples/coordination/tree.ts";
import type { Limit } from "../../../src/core/limits/api.ts";
import type { Question } from "../../../src/core/questions/api.ts";
import type { TaskView } from "../../../src/core/queue/api.ts";

const page = (place: number, event: Entry["event"], change: Partial<Entry> = {}): Entry => ({
  event,
  owner: `writer-${place}`,
  task: `topic-${place}.page`,
  fence: place,
  ...change,
});
const done = (task_id: string, type: string, result: unknown) =>
  ({ task_id, type, outcome: "complete", result }) as TaskView;
const resumed_from = { by: "scout-1", steps: 1 };

/** Two topics of one step each, as they are when all went well. */
const WELL: Outcome = {
  plan: { topics: 2, steps: 1 },
  terms: { concurrency: 2, plan: 1, renewedAfterMs: 1, thinksMs: 1 },
  provider: {
    answered: new Map([
      ["topic-1/0", 1],
      ["topic-2/0", 1],
    ]),
    answers: 2,
    refused: { plan: 1, concurrency: 0 },
    usd: 0.02,
  },
  limit: { usd_per_day: 1, spent_usd: 0.02, held: 0 } as Limit,
  parked: 1,
  journal: [page(1, "begin"), page(1, "end"), page(2, "begin"), page(2, "end")],
  index: ["- topic-1", "- topic-2"],
  question: { answer: "yes", answered_by: { name: "ops", way: "token" }, answered_at: "2026-01-31" } as Question,
  tasks: [
    done("topic-1", "SCOUT", { by: "scout-1", resumed_from: null }),
    done("topic-2", "SCOUT", { by: "scout-2", resumed_from }),
    done("topic-1.page", "WRITE", {}),
    done("topic-2.page", "WRITE", {}),
    done("release", "RELEASE", { released: true }),
  ],
};

const brokenBy = (change: Partial<Outcome>) =>
  rowsOf({ ...WELL, ...change }).flatMap(({ what, holds }) => (holds ? [] : [what.split(/[:,]/)[0]]));

describe("the summary of the six agents", () => {
  test("holds where all went well, and names a successor", () => {
    expect(brokenBy({})).toEqual([]);
    expect(table(rowsOf(WELL))).toContain("topic-2: scout-2 went on after step 1 of scout-1");
    expect(
      table(rowsOf(WELL))
        .split("\n")
        .every((line) => line.startsWith("✓")),
    ).toBe(true);
  });

  const { provider } = WELL;
  test.each<[string, Partial<Outcome>, string]>([
    ["an answer was paid twice", { provider: { ...provider, answers: 3 } }, "provider"],
    [
      "the provider refused more than were under way",
      { provider: { ...provider, refused: { plan: 3, concurrency: 0 } } },
      "provider",
    ],
    ["too many came at a time", { provider: { ...provider, refused: { plan: 1, concurrency: 1 } } }, "provider"],
    ["the bill is another one", { provider: { ...provider, usd: 0.03 } }, "dollars"],
    ["a reservation was left", { limit: { ...WELL.limit, held: 1 } }, "dollars"],
    ["nothing was parked", { parked: 0 }, "tasks parked while the limit was closed"],
    ["a writer found another one", { journal: [...WELL.journal, page(2, "overlap")] }, "tree"],
    [
      "writers overlapped unseen",
      { journal: [page(1, "begin"), page(2, "begin"), page(1, "end"), page(2, "end")] },
      "tree",
    ],
    ["a fence fell", { journal: [page(2, "begin"), page(2, "end"), page(1, "begin"), page(1, "end")] }, "tree"],
    ["a line was lost", { index: ["- topic-2"] }, "tree"],
    ["nobody answered", { question: { ...WELL.question, answer: null, answered_by: null } }, "question"],
    ["the answer was no, and it was released", { question: { ...WELL.question, answer: "no" } }, "question"],
    [
      "a task failed",
      { tasks: [...WELL.tasks.slice(1), { ...WELL.tasks[0], outcome: "failed" } as TaskView] },
      "tasks",
    ],
    [
      "a successor knew nothing",
      { tasks: WELL.tasks.map((task) => ({ ...task, result: task.type === "RELEASE" ? task.result : {} })) },
      "notes",
    ],
  ])("does not hold where %s", (_, change, row) => expect(brokenBy(change)).toEqual([row]));
});
