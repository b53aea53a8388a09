import { describe, expect, it } from "vitest";
import { DEFAULT_SETTINGS } from "../../../src/core/queue/queue-settings.ts";
import { type Waiter, Waiters } from "../../../src/core/queue/waiters.ts";
import { aTask, QueueUnderTest } from "./queue-under-test.ts";

/** Workers that wait for tasks, written `recipient:name`, with their skills and how many tasks they take. */
function waiting(queue: QueueUnderTest, workers: Record<string, { skills?: readonly string[]; credit?: number }>) {
  const waiters = new Waiters();
  const got: Record<string, string[]> = {};
  for (const [key, { skills, credit = 9 }] of Object.entries(workers)) {
    const [recipient = "", name = ""] = key.split(":");
    const mine: string[] = [];
    got[name] = mine;
    const waiter: Waiter = {
      recipient,
      holder: name,
      worker: name,
      leaseMs: 30_000,
      skills: skills && new Set(skills),
      hasRoom: () => mine.length < credit,
      give: ({ taskId }) => mine.push(taskId),
    };
    waiters.add(waiter);
  }
  return { waiters, got, handOut: () => waiters.handOut(queue.queue, queue.nowMs) };
}

const python = { needs: ["python"] };

describe("routing by expertise", () => {
  it("gives a task that needs skills to the least loaded of those who have them all, and to nobody else", () => {
    const queue = new QueueUnderTest(DEFAULT_SETTINGS);
    const { got, handOut } = waiting(queue, {
      "coder:novice": {},
      "coder:busy": { skills: ["python", "sql"] },
      "coder:expert": { skills: ["python"] },
    });
    queue.enqueue([aTask({ taskId: "sql", needs: ["python", "sql"] })]);
    handOut();
    queue.enqueue([
      aTask({ taskId: "p1", ...python }),
      aTask({ taskId: "p2", ...python }),
      aTask({ taskId: "p3", ...python }),
    ]);
    handOut();
    expect(got.novice).toEqual([]);
    expect([...(got.busy ?? []), ...(got.expert ?? [])].toSorted()).toEqual(["p1", "p2", "p3", "sql"]);
    expect([got.busy?.length, got.expert?.length]).toEqual([2, 2]);
  });

  it("finds the least loaded among all recipients for a task for anyone", () => {
    const queue = new QueueUnderTest(DEFAULT_SETTINGS);
    const { got, handOut } = waiting(queue, { "coder:a": { skills: ["python"] }, "tester:b": { skills: ["python"] } });
    queue.enqueue([1, 2].map((n) => aTask({ taskId: `mine${n}` })));
    handOut();
    expect(got).toEqual({ a: ["mine1", "mine2"], b: [] });
    queue.enqueue([1, 2, 3, 4].map((n) => aTask({ taskId: `any${n}`, recipient: "*", ...python })));
    handOut();
    expect([got.a?.length, got.b?.length]).toEqual([3, 3]);
  });

  it("leaves the order of urgency as it is, and lets a task wait that nobody can do", () => {
    const queue = new QueueUnderTest(DEFAULT_SETTINGS);
    const { got, handOut, waiters } = waiting(queue, { "coder:a": { skills: ["python"], credit: 2 } });
    queue.enqueue([
      aTask({ taskId: "late", priority: 9, ...python }),
      aTask({ taskId: "urgent", priority: 1 }),
      aTask({ taskId: "soon", priority: 2, ...python }),
      aTask({ taskId: "rust", priority: 1, needs: ["rust"] }),
    ]);
    handOut();
    expect(got.a).toEqual(["urgent", "soon"]);
    expect([waiters.serves("coder", ["python"]), waiters.serves("coder", ["rust"]), waiters.serves("coder")]).toEqual([
      true,
      false,
      true,
    ]);
    expect(queue.queue.find("rust")?.lease).toBeNull();
  });
});
