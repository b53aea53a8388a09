// Redis Streams through the works of a log, on a Redis that writes as durably as the edge.
// Usage: node redis-streams.mjs PORT SIZES. Prints one JSON document of figures.
import Redis from "ioredis";

const [, , port = "", sizes = "{}"] = process.argv;
const { batches, single, rounds } = JSON.parse(sizes);
const connect = () => new Redis({ host: "127.0.0.1", port: Number(port), enableAutoPipelining: false });
const percentile = (values, share) => values.toSorted((a, b) => a - b)[Math.floor(values.length * share)];
const signal = (number) =>
  JSON.stringify({
    signal: "Q_BENCH_TICK",
    source: "bench/agent-7",
    timestamp: "2026-11-01T12:00:00.000Z",
    facts: { zooid: "bench/agent-7", ok: true, ttr_ms: 12.5, niche: "bench", number, cpu_percent: 41.5 },
  });

/** Reads a stream to its end. @param onEntries - how many entries have come with one answer */
async function follow(stream, count, onEntries) {
  const reader = connect();
  let after = "$";
  let left = count;
  while (left > 0) {
    const answer = await reader.xread("COUNT", 1_000, "BLOCK", 0, "STREAMS", stream, after);
    const entries = answer?.[0]?.[1] ?? [];
    after = entries.at(-1)?.[0] ?? after;
    left -= entries.length;
    onEntries(entries.length);
  }
  reader.disconnect();
}

/** Entries of one signal, `size` of them in a pipeline, so many pipelines in flight. */
async function stream(name, size, inFlight, signals) {
  const writer = connect();
  const sentAt = [];
  const millis = [];
  let seen = 0;
  const followed = follow(name, signals, (entries) => {
    seen += entries;
    const now = performance.now();
    while (millis.length < Math.floor(seen / size)) millis.push(now - sentAt[millis.length]);
  });
  await new Promise((resolve) => setTimeout(resolve, 100));
  const bodies = Array.from({ length: 100 }, (_, number) => signal(number));
  let left = signals / size;
  const started = performance.now();
  const lane = async () => {
    while (left-- > 0) {
      sentAt.push(performance.now());
      if (size === 1) await writer.xadd(name, "*", "s", bodies[left % 100] ?? "");
      else {
        const pipeline = writer.pipeline();
        for (let place = 0; place < size; place++) pipeline.xadd(name, "*", "s", bodies[place % 100]);
        await pipeline.exec();
      }
    }
  };
  await Promise.all(Array.from({ length: inFlight }, lane));
  const seconds = (performance.now() - started) / 1_000;
  await followed;
  await writer.del(name);
  writer.disconnect();
  return { perSecond: signals / seconds, deliveryMs: percentile(millis, 0.5) };
}

async function publish(name) {
  const writer = connect();
  let arrived = () => {};
  const followed = follow(name, rounds, () => arrived());
  await new Promise((resolve) => setTimeout(resolve, 100));
  const millis = [];
  for (let round = 0; round < rounds; round++) {
    const there = new Promise((resolve) => {
      arrived = resolve;
    });
    const started = performance.now();
    await Promise.all([writer.xadd(name, "*", "s", signal(round)), there]);
    if (round >= rounds / 5) millis.push(performance.now() - started);
  }
  await followed;
  writer.disconnect();
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
