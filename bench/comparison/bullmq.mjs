// BullMQ through the same cases as bench/queue.ts, in a process of its own beside a Redis of its own.
// Usage: node bullmq.mjs <port of Redis>. Prints one JSON document.
import { Queue, QueueEvents, Worker } from "bullmq";

const connection = { host: "127.0.0.1", port: Number(process.argv[2]), maxRetriesPerRequest: null };
const payload = { spec: "bench", files: ["src/core/window.ts"], note: "as discussed in the morning" };
const keep = { removeOnComplete: true };
// A job that is removed at once is gone before its result can be asked for.
const keepSome = { removeOnComplete: 1_000 };
const percentile = (values, share) => values.toSorted((a, b) => a - b)[Math.floor(values.length * share)];
const closing = [];
const worker = (name, handler, concurrency) => {
  const one = new Worker(name, handler, { connection, concurrency });
  closing.push(one);
  return one.waitUntilReady();
};

async function pickup() {
  const queue = new Queue("pickup", { connection });
  closing.push(queue);
  let arrived = () => {};
  await worker("pickup", async () => arrived(), 1);
  const millis = [];
  for (let round = 0; round < 550; round++) {
    const there = new Promise((resolve) => {
      arrived = resolve;
    });
    const started = performance.now();
    await Promise.all([queue.add("task", payload, keep), there]);
    if (round >= 50) millis.push(performance.now() - started);
  }
  return { median: percentile(millis, 0.5), p99: percentile(millis, 0.99) };
}

async function calls(name, lanes, count) {
  const queue = new Queue(name, { connection });
  const events = new QueueEvents(name, { connection });
  closing.push(queue, events);
  for (const one of [queue, events]) one.setMaxListeners(0); // each call that waits adds some
  await events.waitUntilReady();
  await worker(name, async () => ({ ok: true }), 64);
  const millis = [];
  const lane = async (rounds) => {
    for (let round = 0; round < rounds; round++) {
      const started = performance.now();
      const job = await queue.add("ask", payload, keepSome);
      await job.waitUntilFinished(events);
      millis.push(performance.now() - started);
    }
  };
  await lane(50);
  millis.length = 0;
  const started = performance.now();
  await Promise.all(Array.from({ length: lanes }, () => lane(count / lanes)));
  const seconds = (performance.now() - started) / 1_000;
  return { median: percentile(millis, 0.5), p99: percentile(millis, 0.99), perSecond: count / seconds };
}

async function throughput(tasks) {
  const queue = new Queue("through", { connection });
  closing.push(queue);
  let done = 0;
  let finished = () => {};
  const all = new Promise((resolve) => {
    finished = resolve;
  });
  const count = async () => {
    if (++done === tasks) finished();
  };
  await Promise.all([1, 2, 3, 4].map(() => worker("through", count, 100)));
  const started = performance.now();
  const batch = Array.from({ length: 100 }, () => ({ name: "task", data: payload, opts: keep }));
  let left = tasks / 100;
  const lane = async () => {
    while (left-- > 0) await queue.addBulk(batch);
  };
  await Promise.all([lane(), lane(), lane(), lane()]);
  await all;
  return { perSecond: tasks / ((performance.now() - started) / 1_000) };
}

const found = {
  pickup: await pickup(),
  one: await calls("one", 1, 500),
  many: await calls("many", 32, 6_400),
  through: await throughput(20_000),
};
process.stdout.write(`${JSON.stringify(found)}\n`);
await Promise.race([
  Promise.all(closing.map((one) => one.close())),
  new Promise((resolve) => setTimeout(resolve, 2_000)),
]);
process.exit(0);
