import { type EdgeUnderTest, startEdgeUnderTest } from "./edge-under-test.ts";
import { type Report, rounded } from "./figure.ts";
import { freePort } from "./free-port.ts";
import { askJson } from "./http-client.ts";
import { Inspector } from "./profile/inspector.ts";
import { beginQueue, enqueueMany, LONG_QUEUE, openWork } from "./work-client.ts";

const TASKS = Number(process.env.GANGLION_TASKS) || 240_000;
/** Tasks of a shorter queue: what both take beside their tasks is not counted. */
const SHORT = 20_000;
const WORKER = "ganglion";

/** What tasks cost that are far down a queue: of memory, and of time when their queue wakes. */
export async function farQueue(_edge: EdgeUnderTest, report: Report): Promise<void> {
  const inspector = `127.0.0.1:${await freePort()}`;
  let edge = await startEdgeUnderTest({ GANGLION_INSPECTOR_ADDR: inspector });
  try {
    for (const [name, tasks] of [
      ["short", SHORT],
      ["long", TASKS],
    ] as const) {
      await beginQueue(edge, name, LONG_QUEUE);
      const sender = await openWork(edge, name, "sender");
      await enqueueMany(sender, tasks, 500, "nobody");
      await enqueueMany(sender, 1, 1, "coder");
      sender.close();
    }
    edge = await edge.restart();
    await lease(edge, "empty");
    const without = await heapBytes(inspector);
    const short = await lease(edge, "short");
    const afterShort = await heapBytes(inspector);
    const long = await lease(edge, "long");
    const afterLong = await heapBytes(inspector);
    const again = await lease(edge, "long");
    report({
      bench: "far-queue",
      figure: "memory_per_task",
      value: rounded((afterLong - 2 * afterShort + without) / (TASKS - SHORT)),
      unit: "bytes",
      target: { at_most: 100 },
      tasks: TASKS,
    });
    report({
      bench: "far-queue",
      figure: "first_lease_after_restart",
      value: rounded(long),
      unit: "ms",
      target: { at_most: 500 },
      tasks: TASKS,
      compared_with: { [`of_${SHORT}_tasks_ms`]: rounded(short), second_ms: rounded(again) },
    });
  } finally {
    await edge.stop();
  }
}

/** @returns milliseconds */
async function lease(edge: EdgeUnderTest, queue: string): Promise<number> {
  const started = performance.now();
  await askJson(edge, "POST", `/v1/default/queues/${queue}/lease`, { recipient: "coder", wait_ms: 0 });
  return performance.now() - started;
}

async function heapBytes(address: string): Promise<number> {
  const isolate = await Inspector.open(address, WORKER);
  try {
    await isolate.call("HeapProfiler.collectGarbage");
    const { usedSize } = await isolate.call<{ usedSize: number }>("Runtime.getHeapUsage");
    return usedSize;
  } finally {
    isolate.close();
  }
}
