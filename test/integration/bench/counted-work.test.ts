import { beforeAll, describe, expect, test } from "vitest";
import type { ReachedEdge } from "../../../bench/edge-under-test.ts";
import { getJson } from "../../../bench/http-client.ts";
import { benchSignal, openLink } from "../../../bench/link-client.ts";
import { benchTask, openWork } from "../../../bench/work-client.ts";
import { type Usage, usageSince } from "../../../src/core/billing/usage.ts";
import { runEdge } from "../../harness/running-edge.ts";

/**
 * What the hot paths cost in units that are the same on every machine: rows, messages, bytes. A change that makes them
 * dearer fails here, however fast the machine is.
 */
let edge: ReachedEdge;
beforeAll(async () => {
  const running = await runEdge({ env: { GANGLION_METRICS: "off" } });
  edge = { url: running.url, token: running.token };
});

type ObjectName = "signal_log" | "priority_queues";

async function usageOf(object: ObjectName): Promise<Usage> {
  const { objects } = (await getJson(edge, "/v1/default/usage")) as { objects: Record<ObjectName, Usage> };
  return objects[object];
}

/** What an object used for some work, beside what asking for it takes. */
async function usedBy(object: ObjectName, work: () => Promise<void>): Promise<Usage> {
  const start = await usageOf(object);
  const idle = usageSince(start, await usageOf(object));
  const before = await usageOf(object);
  await work();
  const spent = usageSince(before, await usageOf(object));
  return { ...spent, requests: spent.requests - idle.requests, rows_read: spent.rows_read - idle.rows_read };
}

describe("signals over a link, with a subscriber", () => {
  const BATCHES = 50;

  test.for([
    { size: 100, rows: 1.1, bytes: 330 },
    { size: 1, rows: 1.1, bytes: 400 },
  ])(
    "cost a row a batch of $size, a message each way, and few bytes more than they hold",
    async ({ size, rows, bytes }) => {
      const name = `Q_COUNTED_${size}`;
      const subscriber = await openLink(edge, "reader");
      const publisher = await openLink(edge, "sender");
      let frames = 0;
      let delivered = 0;
      let seen = 0;
      let answers = 0;
      let moved = () => {};
      subscriber.onSignals = (text, last) => {
        subscriber.send(`{"type":"seen","seq":${last}}`);
        frames++;
        delivered += text.length;
        seen += text.split('{"seq":').length - 1;
        moved();
      };
      publisher.onFrame = ({ type }) => {
        if (type !== "appended") return;
        answers++;
        moved();
      };
      await subscriber.subscribe(name);
      const round = (batch: number) =>
        new Promise<void>((resolve) => {
          moved = () => seen === (batch + 1) * size && answers === batch + 1 && resolve();
          const signals = Array.from({ length: size }, (_, place) => benchSignal(batch * size + place, name)).join(",");
          const first = 1 + batch * size;
          publisher.send(
            `{"type":"append","batch":${batch},"producer":"sender.counted.e${size}","first":${first},"signals":[${signals}]}`,
          );
        });
      // The first batch makes what every log has once.
      await round(0);
      [frames, delivered] = [0, 0];
      const spent = await usedBy("signal_log", async () => {
        for (let batch = 1; batch <= BATCHES; batch++) await round(batch);
      });
      expect({
        rows: spent.rows_written / BATCHES,
        frames: frames / BATCHES,
        answers: (answers - 1) / BATCHES,
        messages: spent.socket_messages / BATCHES,
        bytes: delivered / (BATCHES * size),
      }).toSatisfy(
        (cost: { rows: number; frames: number; answers: number; messages: number; bytes: number }) =>
          cost.rows <= rows && cost.frames === 1 && cost.answers === 1 && cost.messages <= 2 && cost.bytes <= bytes,
      );
      subscriber.close();
      publisher.close();
    },
  );
});

test("a task costs three rows and four messages from its sender to the end of its work", async () => {
  const TASKS = 100;
  const sender = await openWork(edge, "counted", "sender");
  const worker = await openWork(edge, "counted", "worker");
  let frames = 0;
  let finished = () => {};
  sender.onFrame = () => frames++;
  worker.onFrame = ({ type, tasks }) => {
    frames++;
    if (type === "done") finished();
    if (type !== "tasks") return;
    const [task] = tasks ?? [];
    worker.send(`{"type":"complete","tasks":[{"task_id":"${task?.task_id}","lease_id":"${task?.lease_id}"}]}`);
  };
  worker.send(JSON.stringify({ type: "ready", recipient: "coder", credit: 1 }));
  const round = (number: number) =>
    new Promise<void>((resolve) => {
      finished = resolve;
      sender.send(`{"type":"enqueue","batch":${number},"tasks":[${benchTask(number)}]}`);
    });
  await round(0);
  frames = 0;
  const spent = await usedBy("priority_queues", async () => {
    for (let number = 1; number <= TASKS; number++) await round(number);
  });
  expect({
    rows: spent.rows_written / TASKS,
    messages: spent.socket_messages / TASKS,
    frames: frames / TASKS,
  }).toSatisfy(
    (cost: { rows: number; messages: number; frames: number }) =>
      cost.rows <= 3.2 && cost.messages === 2 && cost.frames <= 3,
  );
  sender.close();
  worker.close();
});
