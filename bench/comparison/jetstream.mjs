// NATS JetStream through the works of a log, on a file store that is synced at each write, as the edge's is.
// Usage: node jetstream.mjs PORT SIZES. Prints one JSON document of figures.
import { jetstream, jetstreamManager } from "@nats-io/jetstream";
import { connect } from "@nats-io/transport-node";

const [, , port = "", sizes = "{}"] = process.argv;
const { batches, single, rounds } = JSON.parse(sizes);
const servers = `127.0.0.1:${port}`;
const percentile = (values, share) => values.toSorted((a, b) => a - b)[Math.floor(values.length * share)];
const signal = (number) =>
  JSON.stringify({
    signal: "Q_BENCH_TICK",
    source: "bench/agent-7",
    timestamp: "2026-11-01T12:00:00.000Z",
    facts: { zooid: "bench/agent-7", ok: true, ttr_ms: 12.5, niche: "bench", number, cpu_percent: 41.5 },
  });

const publisher = await connect({ servers });
const reader = await connect({ servers });
const manager = await jetstreamManager(publisher);
const client = jetstream(publisher);

/** Delivers every message of a subject to `onMessage`, from now on. */
async function follow(name, onMessage) {
  await manager.streams.add({ name, subjects: [name], storage: "file" });
  const consumer = await jetstream(reader).consumers.get(name, { deliver_policy: "all" });
  const messages = await consumer.consume({ max_messages: 2_000 });
  void (async () => {
    for await (const message of messages) {
      message.ack();
      onMessage();
    }
  })();
  return messages;
}

async function stream(name, size, inFlight, signals) {
  const sentAt = [];
  const millis = [];
  let seen = 0;
  let finished = () => {};
  const all = new Promise((resolve) => {
    finished = resolve;
  });
  const messages = await follow(name, () => {
    if (++seen % size === 0) millis.push(performance.now() - sentAt[millis.length]);
    if (seen === signals) finished();
  });
  const bodies = Array.from({ length: 100 }, (_, number) => signal(number));
  let left = signals / size;
  const started = performance.now();
  const lane = async () => {
    while (left-- > 0) {
      sentAt.push(performance.now());
      await Promise.all(Array.from({ length: size }, (_, place) => client.publish(name, bodies[place % 100])));
    }
  };
  await Promise.all(Array.from({ length: inFlight }, lane));
  const seconds = (performance.now() - started) / 1_000;
  await all;
  messages.stop();
  await manager.streams.delete(name);
  return { perSecond: signals / seconds, deliveryMs: percentile(millis, 0.5) };
}

async function publish(name) {
  let arrived = () => {};
  const messages = await follow(name, () => arrived());
  const millis = [];
  for (let round = 0; round < rounds; round++) {
    const there = new Promise((resolve) => {
      arrived = resolve;
    });
    const started = performance.now();
    await Promise.all([client.publish(name, signal(round)), there]);
    if (round >= rounds / 5) millis.push(performance.now() - started);
  }
  messages.stop();
  await manager.streams.delete(name);
  return percentile(millis, 0.5);
}

const many = await stream("batches", 100, 8, batches);
const one = await stream("single", 1, 64, single);
process.stdout.write(
  `${JSON.stringify({
    signals_batch_100: many.perSecond,
    delivery_batch_100: many.deliveryMs,
    signals_64_in_flight: one.perSecond,
    publish_to_subscriber: await publish("publish"),
  })}\n`,
);
process.exit(0);
