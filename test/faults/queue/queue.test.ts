import { expect, test } from "vitest";
import type { TaskRequest } from "../../../src/client/queue.ts";
import { runEdge } from "../../harness/running-edge.ts";
import { RunningProcess } from "../../harness/running-process.ts";
import { atOnce } from "../at-once.ts";
import { Rng } from "../rng.ts";

const RECIPIENTS = ["architect", "coder", "tester", "writer"] as const;

// `GANGLION_TASKS=10000 GANGLION_KILLS=40` is the long run.
const kills = Number(process.env.GANGLION_KILLS ?? 4);
const seed = Number(process.env.GANGLION_SEED ?? 20264);
/** Tasks that a worker holds at a time, see queue-worker.ts. */
const CONCURRENCY = 16;
/** Tasks that a worker ends before it is killed, at most; and once more as many around the edge's kill. */
const ENDED = 20;
const ENDED_AROUND_THE_EDGE = 60;
// So many that there is work left for whoever is started after the last kill, were all of them for one recipient.
const count = Math.max(
  Number(process.env.GANGLION_TASKS ?? 1_500),
  Math.ceil(1.2 * RECIPIENTS.length * ((kills + 1) * (ENDED + CONCURRENCY) + ENDED_AROUND_THE_EDGE)),
);

test(`four workers killed ${kills} times at random, and the edge once: each of ${count} tasks completes exactly once (seed ${seed})`, async () => {
  const rng = new Rng(seed);
  const edge = await runEdge();
  const { queues } = edge.client();
  await queues.configure("work", { max_attempts: 50, alert_depth: null });
  const tasks = Array.from(
    { length: count },
    (_, n): TaskRequest => ({
      task_id: `task-${n}`,
      recipient: rng.pick(RECIPIENTS),
      type: "TASK_DELEGATE",
      payload: { n },
      priority: rng.between(1, 10),
      delay_ms: n % 10 === 0 ? rng.between(1, 2_000) : 0,
    }),
  );
  for (let from = 0; from < count; from += 1_000) await queues.put("work", tasks.slice(from, from + 1_000));

  const begun: {
    readonly task: string;
    readonly recipient: string;
    readonly attempt: number;
    readonly worker: number;
  }[] = [];
  let workers = 0;
  const start = (recipient: string) => {
    const worker = ++workers;
    const running = new RunningProcess(["test/faults/queue/queue-worker.ts"], {
      env: { QUEUE_URL: edge.url, QUEUE_TOKEN: edge.token, QUEUE_RECIPIENT: recipient, WORKER_NAME: `w${worker}` },
    });
    const ended = rng.between(0, ENDED);
    running.child.send(ended);
    return { running, recipient, worker, reach: ended + CONCURRENCY };
  };
  const team = RECIPIENTS.map(start);
  const retired: typeof team = [];
  for (let kill = 0; kill < kills; kill++) {
    const place = rng.between(0, team.length - 1);
    const victim = team[place];
    if (victim === undefined) throw new Error("no such worker");
    await victim.running.times(/^\[/, rng.between(1, victim.reach));
    await victim.running.killGroup();
    retired.push(victim);
    team[place] = start(victim.recipient);
    if (kill === Math.floor(kills / 2)) {
      // All are at work again, and somebody has just begun some more.
      for (const { running } of team) running.child.send(ENDED_AROUND_THE_EDGE);
      const busy = rng.pick(team as [(typeof team)[0]]);
      await busy.running.times(/^\[/, busy.reach + rng.between(1, ENDED));
      // SIGKILL to the edge and its runtime; it comes back on its port, with its state.
      await edge.process.killGroup();
      const port = Number(new URL(edge.url).port);
      await runEdge({ stateDir: edge.stateDir, port });
    }
  }
  for (const { running } of team) running.child.send(count);

  await expect
    .poll(async () => (await queues.status("work").catch(() => undefined))?.depth ?? -1, {
      timeout: 300_000,
      interval: 100,
    })
    .toBe(0);
  await expect.poll(async () => (await queues.status("work")).running, { timeout: 60_000, interval: 100 }).toBe(0);

  // Each has completed, once from the queue's point of view, whatever was begun and lost in between.
  await atOnce([...tasks.keys()], 16, async (n) => {
    const task = await queues.task("work", `task-${n}`);
    const ends = task.history.filter(({ event }) => ["complete", "failed", "cancelled", "expired"].includes(event));
    expect([task.task_id, task.status, ends.map(({ event }) => event)]).toEqual([
      `task-${n}`,
      "complete",
      ["complete"],
    ]);
  });

  for (const { running, recipient, worker } of [...retired, ...team]) {
    for (const line of running.lines) {
      if (!line.startsWith("[")) continue;
      const [task, , attempt] = JSON.parse(line) as [string, number, number];
      begun.push({ task, recipient, attempt, worker });
    }
  }
  const firsts = begun.filter(({ attempt }) => attempt === 1);
  expect(new Set(firsts.map(({ task }) => task)).size).toBe(firsts.length);
  // Order within a recipient: what had no delay and was not tried again came by priority, oldest first.
  const retried = new Set(begun.filter(({ attempt }) => attempt > 1).map(({ task }) => task));
  for (const recipient of RECIPIENTS) {
    const order = firsts
      .filter((one) => one.recipient === recipient && !retried.has(one.task))
      .map(({ task }) => Number(task.slice(5)))
      .filter((n) => tasks[n]?.delay_ms === 0);
    const rank = (n: number) => (tasks[n]?.priority ?? 0) * 1_000_000 + n;
    expect(order).toEqual(order.toSorted((a, b) => rank(a) - rank(b)));
  }
  console.log(`${begun.length} attempts for ${count} tasks, ${workers} workers`);
}, 3_600_000);
