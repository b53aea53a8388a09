import { setTimeout as sleep } from "node:timers/promises";
import { type Worker, work } from "../../src/client/work/worker.ts";
import { LINES, type Line } from "../../src/core/billing/prices.ts";
import type { EdgeUnderTest } from "../edge-under-test.ts";
import { amountsOfMonth, MONTH_SECONDS, measure } from "./measure.ts";

const QUEUE = "bill";
const TASKS_A_DAY = 10_000;
const MINUTES_A_DAY = 1_440;

/**
 * What tasks add in a month: what each costs from its coming to its end, and what those cost that workers hold at a time.
 * A worker of each host takes them, as an agent does.
 */
export async function tasksOfMonth(
  edge: EdgeUnderTest,
  hosts: number,
  minutes: number,
  seconds: number,
): Promise<{ amounts: Record<Line, number>; running: number }> {
  const running = Math.ceil((TASKS_A_DAY * minutes) / MINUTES_A_DAY);
  let release = () => {};
  let held = new Promise<void>((resolve) => (release = resolve));
  let taken = 0;
  const workers = Array.from(
    { length: hosts },
    (_, host): Worker =>
      work(
        QUEUE,
        "coder",
        async () => {
          taken++;
          await held;
          return { ok: true };
        },
        { url: edge.url, token: edge.token, worker: `host-${host}`, concurrency: Math.ceil(running / hosts) + 1 },
      ),
  );
  const idle = () => workers.every((worker) => worker.running === 0);
  const put = async (count: number) => {
    const before = taken;
    for (let n = 0; n < count; n++) await enqueue(edge);
    while (taken < before + count) await sleep(50);
  };
  // The queue begins with its first task.
  await put(1);
  release();
  while (!idle()) await sleep(50);
  // Tasks that end at once, one after the other: the cost of a task without the time that it runs.
  const batch = 100;
  const ended = await measure(edge, 0, async () => {
    for (let n = 0; n < batch; n++) {
      await put(1);
      while (!idle()) await sleep(20);
    }
  });
  held = new Promise<void>((resolve) => (release = resolve));
  await put(running);
  const holding = amountsOfMonth(await measure(edge, seconds));
  release();
  await Promise.all(workers.map((worker) => worker.stop()));
  const tasks = (TASKS_A_DAY * MONTH_SECONDS) / 86_400;
  const amounts = LINES.map((line) => [
    line,
    line === "storage" ? 0 : (ended.used[line] / batch) * tasks + holding[line],
  ]);
  return { amounts: Object.fromEntries(amounts) as Record<Line, number>, running };
}

async function enqueue(edge: EdgeUnderTest): Promise<void> {
  const response = await fetch(`${edge.url}/v1/default/queues/${QUEUE}/tasks`, {
    method: "POST",
    headers: { authorization: `Bearer ${edge.token}`, "content-type": "application/json" },
    body: JSON.stringify({ recipient: "coder", type: "TASK_BENCH", payload: { spec: "bench" } }),
  });
  if (!response.ok) throw new Error(`the edge answered ${response.status}: ${await response.text()}`);
  await response.body?.cancel();
}
