import { priceOf } from "../src/core/billing/prices.ts";
import { type Usage, usageSince } from "../src/core/billing/usage.ts";
import * as works from "./compare/queue-works.ts";
import { comparison } from "./comparison/comparison.ts";
import { type EdgeUnderTest, startEdgeUnderTest } from "./edge-under-test.ts";
import { percentile, type Report, rounded } from "./figure.ts";
import { getJson } from "./http-client.ts";
import { beginQueue, benchTask, completeAll, enqueueMany, LONG_QUEUE, openWork } from "./work-client.ts";

/** Rounds that are left out: code is compiled as it warms. */
const WARM = 100;

/** What a queue does: how soon a worker has a task, how fast a call comes back, how much gets through, and the price. */
export async function queue(edge: EdgeUnderTest, report: Report): Promise<void> {
  // First: an object that sleeps forgets what it has used, and would take that out of the sum.
  await price(edge, report, 1);
  await price(edge, report, 100);
  await pickup(edge, report);
  await pickupOverHttp(edge, report);
  await roundTrip(edge, report);
  await callsAtOnce(edge, report);
  await throughput(report);
  await comparison(report);
}

/** From sending a task to its being in a waiting worker's hands; one at a time. */
async function pickup(edge: EdgeUnderTest, report: Report): Promise<void> {
  const millis = (await works.pickup(edge, WARM + 1_000)).slice(WARM);
  const value = rounded(percentile(millis, 0.5));
  report({
    bench: "queue",
    figure: "pickup_link",
    value,
    unit: "ms",
    target: { at_most: 1 },
    p99_ms: rounded(percentile(millis, 0.99)),
  });
}

async function pickupOverHttp(edge: EdgeUnderTest, report: Report): Promise<void> {
  const post = async (path: string, body: string) => {
    const response = await fetch(`${edge.url}/v1/default/queues/pickup-http${path}`, {
      method: "POST",
      headers: { authorization: `Bearer ${edge.token}`, "content-type": "application/json" },
      body,
    });
    if (!response.ok) throw new Error(`${path} answered ${response.status}`);
    return (await response.json()) as { tasks: { task_id: string; lease_id: string }[] };
  };
  // A queue begins with its first task: until then nothing tells who waits.
  await post("/tasks", benchTask(0));
  const [first] = (await post("/lease", '{"recipient":"coder","wait_ms":30000}')).tasks;
  await post(`/tasks/${first?.task_id}/complete`, JSON.stringify({ lease_id: first?.lease_id }));
  const millis: number[] = [];
  for (let round = 0; round < 330; round++) {
    let at = 0;
    const waiting = post("/lease", '{"recipient":"coder","wait_ms":30000}').then((answer) => {
      at = performance.now();
      return answer;
    });
    // The queue reports when the request waits: a task sent earlier would be there already.
    for (let known = false; !known; ) {
      const { workers } = (await getJson(edge, "/v1/default/queues/pickup-http")) as { workers: { coder?: number } };
      known = workers.coder === 1;
    }
    const started = performance.now();
    const put = post("/tasks", benchTask(round));
    const [task] = (await waiting).tasks;
    if (round >= 30) millis.push(at - started);
    await put;
    await post(`/tasks/${task?.task_id}/complete`, JSON.stringify({ lease_id: task?.lease_id }));
  }
  const value = rounded(percentile(millis, 0.5));
  report({
    bench: "queue",
    figure: "pickup_http",
    value,
    unit: "ms",
    target: { at_most: 10 },
    p99_ms: rounded(percentile(millis, 0.99)),
  });
}

async function roundTrip(edge: EdgeUnderTest, report: Report): Promise<void> {
  const millis = (await works.calls(edge, WARM + 1_000, 1)).millis.slice(WARM);
  const value = rounded(percentile(millis, 0.5));
  report({
    bench: "queue",
    figure: "call_round_trip",
    value,
    unit: "ms",
    target: { at_most: 1 },
    p99_ms: rounded(percentile(millis, 0.99)),
  });
}

async function callsAtOnce(edge: EdgeUnderTest, report: Report): Promise<void> {
  const { perSecond, millis } = await works.calls(edge, 40_000, 32);
  report({
    bench: "queue",
    figure: "calls_32_at_once",
    value: Math.round(perSecond),
    unit: "calls/s",
    target: { at_least: 10_000 },
  });
  report({
    bench: "queue",
    figure: "calls_32_at_once_p99",
    value: rounded(percentile(millis, 0.99)),
    unit: "ms",
    target: { at_most: 50 },
  });
}

/**
 * Tasks queued in batches by one and completed by four, measured while both go on: without a backlog, and before one of
 * others' tasks. Each case has an edge of its own, because queues of one edge share their memory and its upkeep, and both
 * edges are new, because one that has done other work before runs better code. They take turns, so that what else the
 * machine does falls upon both.
 */
async function throughput(report: Report): Promise<void> {
  const BACKLOG = 100_000;
  const ROUNDS = 11;
  const edges = [await startEdgeUnderTest(), await startEdgeUnderTest()] as const;
  try {
    const cases = [await team(edges[0], "alone", 0), await team(edges[1], "behind", BACKLOG)] as const;
    const rates: [number[], number[]] = [[], []];
    for (let round = -2; round < ROUNDS; round++) {
      for (const [place, run] of cases.entries()) {
        const rate = await run(15_000);
        if (round >= 0) rates[place as 0 | 1].push(rate);
      }
    }
    const [alone, behind] = [percentile(rates[0], 0.5), percentile(rates[1], 0.5)];
    // Each against its neighbour in time: the machine is as busy for one as for the other.
    const ratio = percentile(
      rates[1].map((rate, round) => rate / (rates[0][round] ?? rate)),
      0.5,
    );
    report({
      bench: "queue",
      figure: "tasks_through_4_workers",
      value: Math.round(alone),
      unit: "tasks/s",
      target: { at_least: 15_000 },
    });
    report({
      bench: "queue",
      figure: "backlog_ratio",
      value: rounded(ratio),
      unit: "of the throughput without",
      target: { at_least: 0.9 },
      backlog: BACKLOG,
      tasks_per_second: Math.round(behind),
    });
  } finally {
    for (const edge of edges) await edge.stop();
  }
}

/** A sender and four workers. @returns tasks per second of a run */
async function team(edge: EdgeUnderTest, name: string, backlog: number): Promise<(tasks: number) => Promise<number>> {
  await beginQueue(edge, name, LONG_QUEUE);
  const sender = await openWork(edge, name, "sender");
  if (backlog > 0) await enqueueMany(sender, backlog, 500, "somebody-else");
  const workers = await Promise.all([1, 2, 3, 4].map((number) => openWork(edge, name, `worker-${number}`)));
  return async (tasks) => {
    let done = 0;
    const started = performance.now();
    const finished = new Promise<void>((resolve) => {
      for (const worker of workers) {
        completeAll(worker, "coder", 100, (more) => {
          done += more;
          if (done === tasks) resolve();
        });
      }
    });
    await enqueueMany(sender, tasks, 100);
    await finished;
    return tasks / ((performance.now() - started) / 1_000);
  };
}

/** US dollars per million tasks over their whole life: queued, leased by a waiting worker, completed. */
async function price(edge: EdgeUnderTest, report: Report, size: number): Promise<void> {
  const name = `price-${size}`;
  const tasks = size === 1 ? 3_000 : 50_000;
  await beginQueue(edge, name);
  const sender = await openWork(edge, name, "sender");
  const worker = await openWork(edge, name, "worker");
  const run = async (count: number) => {
    let done = 0;
    let settled = (): void => {};
    completeAll(worker, "coder", size, (more) => {
      done += more;
      settled();
    });
    const body = Array.from({ length: size }, (_, place) => benchTask(place)).join(",");
    // One batch after the other, so that no two share a transaction.
    for (let batch = 0; batch * size < count; batch++) {
      const whole = new Promise<void>((resolve) => {
        settled = () => done >= (batch + 1) * size && resolve();
      });
      sender.send(`{"type":"enqueue","batch":${batch},"tasks":[${body}]}`);
      await whole;
    }
  };
  await run(size);
  const before = await used(edge);
  await run(tasks);
  const spent = usageSince(before, await used(edge));
  const perMillion = 1_000_000 / tasks;
  report({
    bench: "queue",
    figure: `price_link_batch_${size}`,
    value: rounded(priceOf(spent, 0) * perMillion),
    unit: "USD per million tasks",
    target: { at_most: 4.5 },
    per_task: Object.fromEntries(Object.entries(spent).map(([unit, count]) => [unit, rounded(count / tasks)])),
  });
  sender.close();
  worker.close();
}

async function used(edge: EdgeUnderTest): Promise<Usage> {
  const usage = (await getJson(edge, "/v1/default/usage")) as { objects: { priority_queues: Usage } };
  return usage.objects.priority_queues;
}
