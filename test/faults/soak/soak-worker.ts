import { setTimeout as busy } from "node:timers/promises";
import { work } from "../../../src/client/work/worker.ts";

/** A worker as a process of its own, to be killed. A task that says so ends the process that works on it. */
const { QUEUE_URL = "", QUEUE_TOKEN = "", WORKER_NAME = "" } = process.env;

export interface Work {
  readonly n: number;
  readonly takesMs: number;
  readonly crashes: boolean;
}

// The tests were killed.
process.once("disconnect", () => process.exit());

work(
  "work",
  "soak",
  async ({ payload }) => {
    const { n, takesMs, crashes } = payload as Work;
    await busy(takesMs);
    if (crashes) process.kill(process.pid, "SIGKILL");
    return { n };
  },
  { url: QUEUE_URL, token: QUEUE_TOKEN, worker: WORKER_NAME, concurrency: 8, leaseMs: 2_000 },
);
process.stdout.write("working\n");
