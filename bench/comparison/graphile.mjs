// graphile-worker through the works of a queue, on a PostgreSQL with its usual, durable settings.
// Usage: node graphile.mjs CONNECTION SIZES. Prints one JSON document of figures.
import { Logger, makeWorkerUtils, run } from "graphile-worker";

const [, , connectionString = "", sizes = "{}"] = process.argv;
const { rounds, drained, enqueued } = JSON.parse(sizes);
const payload = { spec: "bench", files: ["src/core/window.ts"], note: "as discussed in the morning" };
const percentile = (values, share) => values.toSorted((a, b) => a - b)[Math.floor(values.length * share)];
// What it says goes to standard error: the figures are alone on standard output.
const logger = new Logger(() => (level, message) => level === "error" && console.error(message));
const utils = await makeWorkerUtils({ connectionString, logger });
await utils.migrate();

const fill = (identifier, count) =>
  utils.addJobs(Array.from({ length: count }, () => ({ identifier, payload, maxAttempts: 1 })));

async function drain(identifier, tasks, concurrentJobs, ahead) {
  for (let left = tasks; left > 0; left -= 500) await fill(identifier, Math.min(500, left));
  let done = 0;
  let finished = () => {};
  const all = new Promise((resolve) => {
    finished = resolve;
  });
  const taskList = {
    [identifier]: async () => {
      if (++done === tasks) finished();
    },
  };
  const started = performance.now();
  const runners = await Promise.all(
    [1, 2, 3, 4].map(() =>
      run({
        connectionString,
        logger,
        noHandleSignals: true,
        concurrentJobs,
        taskList,
        ...(ahead && {
          preset: { worker: { localQueue: { size: ahead }, completeJobBatchDelay: 0, failJobBatchDelay: 0 } },
        }),
      }),
    ),
  );
  await all;
  const seconds = (performance.now() - started) / 1_000;
  await Promise.all(runners.map((runner) => runner.stop()));
  return tasks / seconds;
}

async function pickup(identifier) {
  let arrived = () => {};
  const taskList = { [identifier]: async () => arrived() };
  const runner = await run({ connectionString, logger, noHandleSignals: true, concurrentJobs: 1, taskList });
  const millis = [];
  for (let round = 0; round < rounds; round++) {
    const there = new Promise((resolve) => {
      arrived = resolve;
    });
    const started = performance.now();
    await Promise.all([utils.addJob(identifier, payload), there]);
    if (round >= rounds / 5) millis.push(performance.now() - started);
  }
  await runner.stop();
  return percentile(millis, 0.5);
}

async function enqueue(identifier) {
  const started = performance.now();
  for (let left = enqueued; left > 0; left -= 100) await fill(identifier, 100);
  return enqueued / ((performance.now() - started) / 1_000);
}

const name = `t${Date.now()}`;
process.stdout.write(
  `${JSON.stringify({
    tasks_one_lease_4_workers: await drain(`${name}one`, drained, 1, 0),
    tasks_leases_ahead_4_workers: await drain(`${name}ahead`, drained * 2, 100, 400),
    pickup: await pickup(`${name}pickup`),
    enqueue: await enqueue(`${name}enqueue`),
  })}\n`,
);
process.exit(0);
