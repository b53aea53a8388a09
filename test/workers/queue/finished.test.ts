import { runInDurableObject } from "cloudflare:test";
import { afterEach, describe, expect, test, vi } from "vitest";
import type { FinishedPage } from "../../../src/core/queue/finished-query.ts";
import { freshEcosystem, problemOf } from "../api/calls.ts";
import { aTask, queueOver, queueStub } from "./queue-under-test.ts";

afterEach(() => void vi.useRealTimers());

const HOUR_MS = 3_600_000;

/** A queue with finished tasks, each at a time of its own, and one that is not finished. */
async function withFinished() {
  const eco = freshEcosystem();
  const queue = queueOver(eco);
  const startMs = Math.floor(Date.now() / (6 * HOUR_MS)) * 6 * HOUR_MS + 1_000;
  const end = async (id: string, hours: number, more: object, how: "complete" | "fail" | "cancel") => {
    vi.useFakeTimers({ toFake: ["Date"], now: startMs + hours * HOUR_MS });
    await queue.put(aTask({ task_id: id, max_attempts: 1, ...more }));
    if (how === "cancel") return queue.act(id, "cancel");
    const [leased] = await queue.lease("coder");
    const { lease_id } = leased ?? {};
    return queue.act(
      id,
      how,
      how === "complete" ? { lease_id, result: 1 } : { lease_id, error: "out of memory", retry: false },
    );
  };
  await end("b", 0, { payload: { city: "Paris" } }, "complete");
  await end("c", 1, { type: "TEST" }, "fail");
  await end("a", 2, {}, "cancel");
  await end("d", 8, { payload: { city: "PARIS, ÎLE" } }, "complete");
  await queue.put(aTask({ task_id: "open" }));
  const list = async (query = "") => (await (await queue.get(`/finished${query}`)).json()) as FinishedPage;
  const ids = async (query = "") => (await list(query)).tasks.map(({ task_id }) => task_id);
  return { eco, queue, list, ids, startMs };
}

describe("finished tasks", () => {
  test("are listed the newest first, and by what is asked of them", async () => {
    const { ids, list, queue, startMs } = await withFinished();
    expect(await ids()).toEqual(["d", "a", "c", "b"]);
    expect(await ids("?state=failed")).toEqual(["c"]);
    expect(await ids("?state=cancelled")).toEqual(["a"]);
    expect(await ids("?type=TEST&recipient=coder")).toEqual(["c"]);
    expect(await ids("?recipient=nobody")).toEqual([]);
    expect(await ids("?text=paris")).toEqual(["d", "b"]);
    expect(await ids("?text=MEMORY")).toEqual(["c"]);
    expect(await ids(`?text=${encodeURIComponent("paris, Île")}`)).toEqual(["d"]);
    const at = (hours: number) => new Date(startMs + hours * HOUR_MS).toISOString();
    expect(await ids(`?since=${at(1)}&until=${at(8)}`)).toEqual(["a", "c"]);
    const [task] = (await list("?state=failed")).tasks;
    expect(task).toEqual(await queue.task("c"));
  });

  test("come in pages, whatever their size", async () => {
    const { list } = await withFinished();
    for (const limit of [1, 2, 3]) {
      const found: string[] = [];
      let next: string | null = "";
      while (next !== null) {
        const page: FinishedPage = await list(`?limit=${limit}&after=${next}`);
        expect(page.tasks.length).toBeLessThanOrEqual(limit);
        found.push(...page.tasks.map(({ task_id }) => task_id));
        next = page.next;
      }
      expect(found).toEqual(["d", "a", "c", "b"]);
    }
  });

  test("are not hidden by a row that cannot be read", async () => {
    vi.spyOn(console, "error").mockReturnValue();
    const { eco, ids } = await withFinished();
    await runInDurableObject(queueStub(eco), (_, { storage }) => {
      for (const { name } of storage.sql.exec<{ name: string }>(
        "SELECT name FROM sqlite_master WHERE name GLOB 'finished_*'",
      ))
        storage.sql.exec(`UPDATE ${name} SET record = '[[' WHERE task_id = 'c'`);
    });
    expect(await ids()).toEqual(["d", "a", "b"]);
  });

  test.each(["?after=nonsense", "?state=queued", "?limit=0", "?sort=asc"])("refuse %s", async (query) => {
    const { queue } = await withFinished();
    expect((await problemOf(await queue.get(`/finished${query}`))).status).toBe(422);
  });
});
