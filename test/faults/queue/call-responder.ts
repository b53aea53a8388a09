import { setTimeout as busy } from "node:timers/promises";
import { answer } from "../../../src/client/work/responder.ts";

/** A responder as a process of its own, to be killed. It says back what it was asked, after the time that it was given. */
const { QUEUE_URL = "", QUEUE_TOKEN = "", WORKER_NAME = "" } = process.env;

export interface Question {
  readonly n: number;
  readonly takesMs: number;
  /** Attempts that fail before one succeeds. */
  readonly fails: number;
}

// The tests were killed.
process.once("disconnect", () => process.exit());

answer(
  "asked",
  "oracle",
  "ECHO",
  async (payload, { task }) => {
    const { n, takesMs, fails } = payload as Question;
    // As soon as it can: most calls are answered before they are written down.
    if (takesMs > 0) await busy(takesMs);
    if (task.attempt <= fails) throw new Error("not yet");
    return { n, id: task.task_id };
  },
  { url: QUEUE_URL, token: QUEUE_TOKEN, worker: WORKER_NAME, concurrency: 32, leaseMs: 3_000 },
);
process.stdout.write("answering\n");
