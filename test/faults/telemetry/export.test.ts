import { once } from "node:events";
import { expect, test } from "vitest";
import { TaskRefused, work } from "../../../src/client/work/worker.ts";
import { atEnd } from "../../harness/cleanup.ts";
import { startOtlpReceiver } from "../../harness/otlp-receiver.ts";
import { attributesOf, type OtlpBox } from "../../harness/otlp-schema.ts";
import { runEdge } from "../../harness/running-edge.ts";
import { Rng } from "../rng.ts";
import { insist } from "../soak/insist.ts";

// `npm run export-faults` is the long run.
const TASKS = Number(process.env.GANGLION_TASKS ?? 300);
const KILLS = Number(process.env.GANGLION_KILLS ?? 2);
const SEED = Number(process.env.GANGLION_SEED ?? 20_268);
/** What the receiver answers, one after the other, the last for good; see otlp-receiver.ts. */
const ANSWERS = "200,lost,429+0,200,die,200";
/** Spans of a task at least: itself, its wait, its run. */
const SPANS = 3;
const AT_ONCE = 32;

test(`each of ${TASKS} finished and failed tasks is at the receiver exactly once, while the edge is killed ${KILLS} times and the receiver fails (seed ${SEED})`, async () => {
  const rng = new Rng(SEED);
  const receiver = await startOtlpReceiver();
  atEnd(receiver.stop);
  let edge = await runEdge();
  const { stateDir, url, token } = edge;
  const port = Number(new URL(url).port);
  const client = edge.client();
  await client.telemetry.set({ endpoint: `${receiver.url}/box/${ANSWERS}`, interval_ms: 1_000 });
  await client.queues.configure("work", { max_attempts: 1, alert_depth: null, alert_failed: null });

  let ended = 0;
  const progress = new EventTarget();
  const worker = work(
    "work",
    "coder",
    async ({ payload }) => {
      ended++;
      progress.dispatchEvent(new Event("ended"));
      if (Number(payload) % 10 === 0) throw new TaskRefused("as its number says");
      return payload;
    },
    { url, token, concurrency: AT_ONCE, leaseMs: 600_000 },
  );
  atEnd(() => worker.stop());
  const ids = Array.from({ length: TASKS }, (_, n) => `task-${n}`);
  const share = Math.ceil(TASKS / (KILLS + 1));
  for (let from = 0; from < TASKS; from += share) {
    const some = ids.slice(from, from + share).map((task_id, place) => ({
      task_id,
      recipient: "coder",
      type: "REVIEW",
      payload: from + place,
    }));
    await insist(() => client.queues.put("work", some));
    if (from + share >= TASKS) break;
    // Somewhere between the first of these tasks and the export of the last one.
    const wanted = from + rng.between(1, share);
    while (ended < wanted) await once(progress, "ended");
    await edge.process.killGroup();
    edge = await runEdge({ stateDir, port });
  }

  const look = async (spans: number) => (await (await fetch(`${receiver.url}/box?spans=${spans}`)).json()) as OtlpBox;
  const tasksIn = ({ spans }: OtlpBox) => spans.filter(({ name }) => name === "task REVIEW");
  let box = await look(SPANS * TASKS);
  // A task that was given back unused, because its worker lost the edge, has a second wait: others may not be there yet.
  while (tasksIn(box).length < TASKS) box = await look(box.spans.length + 1);
  expect(box.invalid).toEqual([]);
  const exported = tasksIn(box);
  expect(exported.map((span) => attributesOf(span)["ganglion.task.id"]).sort()).toEqual(ids.toSorted());
  expect(exported.filter(({ status }) => status.code === 2).length).toBe(Math.ceil(TASKS / 10));
  await expect.poll(async () => (await client.telemetry.show()).health?.waiting).toBe(0);
  expect((await client.telemetry.show()).health).toMatchObject({ dropped: 0, rejected: 0 });
  console.log(
    JSON.stringify({
      tasks: TASKS,
      kills: KILLS,
      seed: SEED,
      spans: box.spans.length,
      requests: box.requests.length,
      repeated: box.repeated,
    }),
  );
});
