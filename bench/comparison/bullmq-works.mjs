// BullMQ through the works of a queue, on a Redis that writes as durably as the edge.
// Usage: node bullmq-works.mjs PORT SIZES. Prints one JSON document of figures.
import { Queue, QueueEvents, Worker } from "bullmq";

const [, , port = "", sizes = "{}"] = process.argv;
const { rounds, drained, called, enqueued, behind } = JSON.parse(sizes);
const connection = { host: "127.0.0.1", port: Number(port), maxRetriesPerRequest: null };
const payload = { spec: "bench", files: ["src/core/window.ts"], note: "as discussed in the morning" };
const keep = { removeOnComplete: true };
// A job that is removed at once is gone before its result can be asked for.
const keepSome = { removeOnComplete: 1_000 };
const percentile = (values, share) => values.toSorted((a, b) => a - b)[Math.floor(values.length * share)];
const batch = Array.from({ length: 100 }, () => ({ name: "task", data: payload, opts: keep }));

async function fill(queue, count) {
  let left = count / 100;
  const lane = async () => {
    while (left-- > 0) await queue.addBulk(batch);
  };
  await Promise.all([lane(), lane(), lane(), lane()]);
}

async function drain(name, tasks, concurrency) {
  const queue = new Queue(name, { connection });
  await fill(queue, tasks);
  let done = 0;
  let finished = () => {};
  const all = new Promise((resolve) => {
    finished = resolve;
  });
  const count = async () => {
    if (++done === tasks) finished();
  };
  const workers = [1, 2, 3, 4].map(() => new Worker(name, count, { connection, concurrency, autorun: false }));
  await Promise.all(workers.map((worker) => worker.waitUntilReady()));
  const started = performance.now();
  for (const worker of workers) void worker.run();
  await all;
  const seconds = (performance.now() - started) / 1_000;
  await Promise.all(workers.map((worker) => worker.close(true)));
  await queue.close();
  return tasks / seconds;
}

async function pickup(name) {
  const queue = new Queue(name, { connection });
  let arrived = () => {};
  const worker = new Worker(name, async () => arrived(), { connection, concurrency: 1 });
  await worker.waitUntilReady();
  const millis = [];
  for (let round = 0; round < rounds; round++) {
    const there = new Promise((resolve) => {
      arrived = resolve;
    });
    const started = performance.now();
    await Promise.all([queue.add("task", payload, keep), there]);
    if (round >= rounds / 5) millis.push(performance.now() - started);
  }
  await worker.close(true);
  await queue.close();
  return percentile(millis, 0.5);
}

async function calls(name, lanes, count) {
  const queue = new Queue(name, { connection });
  const events = new QueueEvents(name, { connection });
  for (const one of [queue, events]) one.setMaxListeners(0); // each call that waits adds some
  await events.waitUntilReady();
  const worker = new Worker(name, async () => ({ ok: true }), { connection, concurrency: 64 });
  await worker.waitUntilReady();
  const millis = [];
  const lane = async () => {
    for (let round = 0; round < count / lanes; round++) {
      const started = performance.now();
      const job = await queue.add("ask", payload, keepSome);
      await job.waitUntilFinished(events);
      millis.push(performance.now() - started);
    }
  };
  const started = performance.now();
  await Promise.all(Array.from({ length: lanes }, lane));
  const seconds = (performance.now() - started) / 1_000;
  await worker.close(true);
  await Promise.all([queue.close(), events.close()]);
  return { roundTripMs: percentile(millis.slice(count / 5), 0.5), perSecond: count / seconds };
}

async function enqueue(name, already) {
  const queue = new Queue(name, { connection });
  await fill(queue, already);
  const started = performance.now();
  await fill(queue, enqueued);
  const seconds = (performance.now() - started) / 1_000;
  await queue.obliterate({ force: true });
  await queue.close();
  return enqueued / seconds;
}

const run = `${Date.now()}`;
process.stdout.write(
  `${JSON.stringify({
    tasks_one_lease_4_workers: await drain(`one-${run}`, drained, 1),
    tasks_leases_ahead_4_workers: await drain(`ahead-${run}`, drained * 2, 100),
    pickup: await pickup(`pickup-${run}`),
    call_round_trip: (await calls(`call-${run}`, 1, rounds)).roundTripMs,
    calls_32_in_flight: (await calls(`calls-${run}`, 32, called)).perSecond,
    enqueue: await enqueue(`enqueue-${run}`, 0),
    enqueue_behind_100k: await enqueue(`behind-${run}`, behind),
  })}\n`,
);
process.exit(0);
