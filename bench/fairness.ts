import type { EdgeUnderTest } from "./edge-under-test.ts";
import { percentile, type Report, rounded } from "./figure.ts";
import { benchSignal, openLink, pump } from "./link-client.ts";
import { benchTask } from "./work-client.ts";

const BATCH = 100;
const IN_FLIGHT = 8;
const SIGNALS = 600_000;
const OTHERS_NAME = "Q_BENCH_BYSTANDER";

/** A call of somebody who has nothing to do with the load. */
interface Bystander {
  readonly figure: string;
  readonly path: string;
  readonly body?: string;
}

const BYSTANDERS: readonly Bystander[] = [
  { figure: "bystander_read", path: "/v1/default/signals?limit=1" },
  { figure: "bystander_append", path: "/v1/default/signals", body: `[${benchSignal(1, OTHERS_NAME)}]` },
  { figure: "bystander_queue", path: "/v1/default/queues/fair/tasks", body: benchTask(1) },
  { figure: "bystander_other_ecosystem", path: "/v1/elsewhere/signals", body: `[${benchSignal(1, OTHERS_NAME)}]` },
];

/** What one link that sends as fast as answers come leaves to its own subscriber, to callers, and to other ecosystems. */
export async function fairness(edge: EdgeUnderTest, report: Report): Promise<void> {
  for (const bystander of BYSTANDERS) await call(edge, bystander);
  const quiet = await callFor(edge, 1_000);
  const saturated = await saturate(edge);
  const asked = await callFor(edge, saturated.over);
  const { perSecond, delivered } = await saturated.done;
  report({
    bench: "fairness",
    figure: "own_subscriber_p50",
    value: rounded(percentile(delivered, 0.5)),
    unit: "ms",
    target: { at_most: 5 },
    p99_ms: rounded(percentile(delivered, 0.99)),
    signals_per_second: Math.round(perSecond),
  });
  for (const { figure } of BYSTANDERS) {
    const millis = asked[figure] ?? [];
    const before = quiet[figure] ?? [];
    for (const [name, share, atMost] of [
      ["p50", 0.5, 10],
      ["p99", 0.99, 50],
    ] as const) {
      report({
        bench: "fairness",
        figure: `${figure}_${name}`,
        value: rounded(percentile(millis, share)),
        unit: "ms",
        target: { at_most: atMost },
        calls: millis.length,
        compared_with: { without_load_ms: rounded(percentile(before, share)) },
      });
    }
  }
}

/** Calls each bystander in turn until then. @returns milliseconds of each call, by its figure */
async function callFor(edge: EdgeUnderTest, until: number | Promise<void>): Promise<Record<string, number[]>> {
  const millis: Record<string, number[]> = {};
  let over = false;
  const ended = (typeof until === "number" ? new Promise<void>((done) => setTimeout(done, until)) : until).then(() => {
    over = true;
  });
  while (!over) {
    for (const bystander of BYSTANDERS) {
      const started = performance.now();
      await call(edge, bystander);
      const took = millis[bystander.figure] ?? [];
      took.push(performance.now() - started);
      millis[bystander.figure] = took;
    }
  }
  await ended;
  return millis;
}

async function call(edge: EdgeUnderTest, { path, body }: Bystander): Promise<void> {
  const response = await fetch(edge.url + path, {
    method: body === undefined ? "GET" : "POST",
    headers: { authorization: `Bearer ${edge.token}`, "content-type": "application/json" },
    ...(body === undefined ? {} : { body }),
  });
  await response.arrayBuffer();
  if (!response.ok) throw new Error(`${path} answered ${response.status}`);
}

/** A link that sends all the time, and a subscriber to what it sends. */
async function saturate(edge: EdgeUnderTest) {
  const name = "Q_BENCH_LOAD";
  const subscriber = await openLink(edge, "reader");
  const publisher = await openLink(edge, "sender");
  const sentAt: number[] = [];
  const delivered: number[] = [];
  let seen = 0;
  const all = new Promise<void>((resolve) => {
    subscriber.onSignals = (text, last) => {
      subscriber.send(`{"type":"seen","seq":${last}}`);
      // Signals of others lie between: the count of this load's own tells which frame has arrived.
      seen += text.split(`"signal":"${name}"`).length - 1;
      const now = performance.now();
      while (delivered.length < Math.floor(seen / BATCH)) delivered.push(now - (sentAt[delivered.length] ?? now));
      if (seen >= SIGNALS) resolve();
    };
  });
  await subscriber.subscribe(name);
  const send = publisher.send.bind(publisher);
  publisher.send = (text) => {
    sentAt.push(performance.now());
    send(text);
  };
  const producer = `sender.${Math.random().toString(36).slice(2)}.local`;
  const pumped = pump(publisher, { producer, batches: SIGNALS / BATCH, size: BATCH, inFlight: IN_FLIGHT, name });
  const over = pumped.then(() => {});
  const done = Promise.all([pumped, all]).then(([seconds]) => {
    publisher.close();
    subscriber.close();
    return { perSecond: SIGNALS / seconds, delivered };
  });
  return { over, done };
}
