import { setTimeout as pause } from "node:timers/promises";
import { openWorkChannel } from "../../../src/client/work/work-channel.ts";
import { CALL_TYPES, INTELLIGENCE_QUEUE } from "../../../src/core/intelligence/call-types.ts";
import { readRequest, writeEvent } from "../../../src/core/intelligence/envelope.ts";
import type { LeasedTask } from "../../../src/core/queue/api.ts";
import { Rng } from "../rng.ts";

/**
 * A responder that answers late, out of order and twice, to be killed. Its one pattern is the path that it was asked for, so
 * that an answer which goes astray is recognised.
 */
const { QUEUE_URL = "", QUEUE_TOKEN = "", WORKER_NAME = "", SEED = "1" } = process.env;
const LEASE_MS = 2_000;
const LONGEST_MS = 40;

// The tests were killed.
process.once("disconnect", () => process.exit());

const rng = new Rng(Number(SEED));
const channel = await openWorkChannel({
  url: QUEUE_URL,
  token: QUEUE_TOKEN,
  ecosystem: "default",
  queue: INTELLIGENCE_QUEUE,
  worker: WORKER_NAME,
  onFrame: (frame) => {
    if (frame.type === "tasks") for (const task of frame.tasks) void answer(task);
  },
  onUnsendable: ({ reason }) => {
    throw new Error(`an answer ${reason}`);
  },
  onClose: () => process.exit(),
});
channel.send({ type: "ready", recipient: WORKER_NAME, credit: 32, lease_ms: LEASE_MS });
process.stdout.write("answering\n");

async function answer(task: LeasedTask): Promise<void> {
  await pause(rng.between(0, LONGEST_MS));
  const { task_id, lease_id } = task;
  const complete = { type: "complete" as const, tasks: [{ task_id, lease_id, result: resultOf(task) }] };
  channel.send(complete);
  // At once, in one message with the first, or after others.
  if (rng.next() < 0.5) await pause(rng.between(0, LONGEST_MS));
  channel.send(complete);
}

function resultOf(task: LeasedTask): unknown {
  if (task.type === CALL_TYPES.health) return { ready: true };
  const read = readRequest(task.payload);
  if (!read.ok) throw new Error("the request cannot be read");
  const { correlationId = "", payload } = read.request;
  const patterns = [{ file_path: payload.source_path, confidence: 0.9, host: WORKER_NAME }];
  return writeEvent(
    "completed",
    { correlationId, payload: { source_path: payload.source_path, patterns, total_count: 1 } },
    { eventId: crypto.randomUUID(), service: "faulty", instanceId: WORKER_NAME, nowMs: Date.now() },
  );
}
