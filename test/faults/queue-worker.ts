import { setTimeout as busy } from "node:timers/promises";
import { work } from "../../src/client/work.ts";

/** A worker as a process of its own, to be killed: prints a line for each task that it begins. */
const { QUEUE_URL = "", QUEUE_TOKEN = "", QUEUE_RECIPIENT = "", WORKER_NAME = "", QUEUE_TASK_MS = "0" } = process.env;

work(
  "work",
  QUEUE_RECIPIENT,
  async ({ task_id, priority, attempt }) => {
    process.stdout.write(`${JSON.stringify([task_id, priority, attempt])}\n`);
    await busy(Number(QUEUE_TASK_MS));
    return { by: WORKER_NAME };
  },
  { url: QUEUE_URL, token: QUEUE_TOKEN, worker: WORKER_NAME, concurrency: 16, leaseMs: 1_500 },
);
