import { setTimeout as pause } from "node:timers/promises";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { Introspection } from "../src/core/introspection/introspection.ts";
import { ALL_SCANNERS } from "../src/core/introspection/scanners/all-scanners.ts";
import { sampleOf } from "../src/core/introspection/window/sample.ts";
import { DEFAULT_OBSERVATION_SETTINGS } from "../src/core/introspection/window/window-settings.ts";
import type { Signal } from "../src/core/signals/signal.ts";
import type { EdgeUnderTest } from "./edge-under-test.ts";
import { percentile, type Report, rounded } from "./figure.ts";
import { getJson, postSignals } from "./http-client.ts";
import { openLink } from "./link-client.ts";

/** What issue and row ask of the observation side: flat cost, 10,000 a second taken in, a gap within the second. */
export async function introspection(edge: EdgeUnderTest, report: Report): Promise<void> {
  evaluation(report);
  await gapLatency(edge, report);
  await intake(edge, report);
}

const SIZES = [1_000, 10_000, 200_000] as const;
const REPORTERS = 50;
/** Observations whose memory is measured. */
const WEIGHED = 200_000;
const LOOKS = 200;

/** As they come out of the log: parsed from a line each, nothing shared. */
function observation(seq: number, nowMs: number): Signal {
  const kinds = [
    { cpu_percent: (seq * 7) % 101, ram_percent: 40, gpu_utilization: (seq * 3) % 101 },
    { task_type: `task-${seq % 5}`, tokens_per_sec: (seq * 11) % 40 },
    { operation: `op-${seq % 5}`, duration_ms: (seq * 13) % 2_000 },
    { queue_name: `q-${seq % 5}`, depth: (seq * 17) % 200 },
    { variant: `v-${seq % 3}`, context_length: 8_000, references: [10, 4_000, (seq * 19) % 8_000] },
  ];
  const time = new Date(nowMs).toISOString();
  const facts = {
    zooid: `r-${seq % REPORTERS}`,
    niche: "bench",
    ttr_ms: 5 + (seq % 100),
    ...kinds[seq % kinds.length],
  };
  const signal = { seq, id: `bench.${seq}`, signal: "OBSERVATION", source: "bench", ecosystem: "default" };
  return JSON.parse(JSON.stringify({ ...signal, timestamp: time, received_at: time, facts })) as Signal;
}

interface Measured {
  readonly lookMs: number;
  readonly bytes: number;
  readonly arrivalMicros: number;
}

/** A window of `size` in this process. A function of its own, so that nothing of it is left when the next is measured. */
function measure(size: number, nowMs: number, collect: () => void): Measured {
  const filled = () => {
    const window = new Introspection(ALL_SCANNERS);
    window.set({ ...DEFAULT_OBSERVATION_SETTINGS, window_seconds: 3_600, window_capacity: size }, nowMs);
    for (let seq = 1; seq <= size; seq++) window.take(sampleOf(observation(seq, nowMs)), nowMs);
    return window;
  };
  const real = filled();
  if (real.window.size !== size) throw new Error(`${real.window.size} of ${size} observations are in the window`);
  // As many observations for each size, in as many windows as it takes: what else happens on the heap weighs the same.
  collect();
  const before = process.memoryUsage().heapUsed;
  const copies = Array.from({ length: WEIGHED / size }, filled);
  collect();
  const bytes = (process.memoryUsage().heapUsed - before) / WEIGHED;
  if (copies.length === 0) throw new Error(`${size} observations are more than are weighed`);

  const millis: number[] = [];
  for (let round = 0; round < LOOKS + 20; round++) {
    const started = performance.now();
    real.look(nowMs);
    if (round >= 20) millis.push(performance.now() - started);
  }
  // Each of these pushes the oldest out: arrival and leaving together.
  const more = Array.from({ length: 20_000 }, (_, place) => sampleOf(observation(size + place + 1, nowMs)));
  const started = performance.now();
  for (const sample of more) real.take(sample, nowMs);
  const arrivalMicros = ((performance.now() - started) / more.length) * 1_000;
  return { lookMs: percentile(millis, 0.5), bytes, arrivalMicros };
}

/** What a look at the window costs, and what an observation takes in memory, by size of the window. */
function evaluation(report: Report): void {
  setFlagsFromString("--expose_gc");
  const collect = runInNewContext("gc") as () => void;
  const nowMs = Date.now();
  // The first run is for the compiler.
  measure(5_000, nowMs, collect);
  const measured = SIZES.map((size) => measure(size, nowMs, collect));
  const look = measured.map(({ lookMs }) => lookMs);
  const bytes = measured.map((one) => one.bytes);
  const arrival = measured.map(({ arrivalMicros }) => arrivalMicros);
  const compare = (figures: readonly number[]) =>
    Object.fromEntries(SIZES.map((size, place) => [`at_${size}`, rounded(figures[place] ?? Number.NaN)]));
  const last = SIZES.length - 1;
  const ratio = (figures: readonly number[]) => rounded((figures[last] ?? Number.NaN) / (figures[0] ?? Number.NaN));
  report({
    bench: "introspection",
    figure: "evaluation_cost_ratio",
    value: ratio(look),
    unit: "times from 1,000 to 200,000 observations",
    target: { at_most: 2 },
    compared_with: compare(look),
    compared_unit: "ms a look",
  });
  report({
    bench: "introspection",
    figure: "memory_ratio",
    value: ratio(bytes),
    unit: "times from 1,000 to 200,000 observations",
    target: { at_most: 1.5 },
    compared_with: compare(bytes),
    compared_unit: "bytes an observation",
  });
  report({
    bench: "introspection",
    figure: "arrival_and_leaving",
    value: rounded(arrival[last] ?? Number.NaN),
    unit: "µs an observation at 200,000",
    compared_with: compare(arrival),
  });
}

const GAPS = 100;

/** From the sending of the evidence to the gap at a live subscriber, through log, queue and scanners. */
async function gapLatency(edge: EdgeUnderTest, report: Report): Promise<void> {
  const subscriber = await openLink(edge, "gap-subscriber");
  subscriber.send(JSON.stringify({ type: "subscribe", after: null, signals: ["CAPABILITY_GAP"] }));
  const waiting = new Map<string, () => void>();
  subscriber.onSignals = (text, last) => {
    subscriber.send(`{"type":"seen","seq":${last}}`);
    const { signals } = JSON.parse(text) as { signals: { facts: { gap_name: string } }[] };
    for (const { facts } of signals) waiting.get(facts.gap_name)?.();
  };
  const millis: number[] = [];
  for (let round = 0; round < GAPS + 5; round++) {
    const reporter = `lat-${round}`;
    const evidence = { signal: "OBSERVATION", source: "bench", facts: { zooid: reporter, cpu_percent: 99 } };
    const body = JSON.stringify(Array.from({ length: 5 }, () => evidence));
    const there = new Promise<void>((resolve) => waiting.set(`cpu_bottleneck_${reporter}`, resolve));
    const started = performance.now();
    await postSignals(edge, body);
    await there;
    if (round >= 5) millis.push(performance.now() - started);
  }
  subscriber.close();
  for (const [figure, share, limit] of [
    ["evidence_to_gap_median", 0.5, 100],
    ["evidence_to_gap_p99", 0.99, 300],
  ] as const)
    report({
      bench: "introspection",
      figure,
      value: rounded(percentile(millis, share)),
      unit: "ms",
      target: { at_most: limit },
      rounds: GAPS,
    });
}

const RATE = 10_000;
const BATCH = 100;
const SECONDS = 10;

/** A steady stream at the asked rate; how far behind the window is when it ends. */
async function intake(edge: EdgeUnderTest, report: Report): Promise<void> {
  const set = await fetch(`${edge.url}/v1/default/observations/settings`, {
    method: "PATCH",
    headers: { authorization: `Bearer ${edge.token}`, "content-type": "application/json" },
    body: JSON.stringify({ window_capacity: 200_000, window_seconds: 3_600 }),
  });
  if (!set.ok) throw new Error(`the settings were answered ${set.status}`);
  const sizeNow = async () =>
    ((await getJson(edge, "/v1/default/observations?limit=1&seconds=3600")) as { size: number }).size;
  const before = await sizeNow();
  const bodies = Array.from({ length: 20 }, (_, batch) =>
    JSON.stringify(
      Array.from({ length: BATCH }, (_, place) => {
        const { facts } = observation(batch * BATCH + place, 0);
        return { signal: "OBSERVATION", source: "bench", facts: { ...facts, cpu_percent: 10 } };
      }),
    ),
  );
  const total = RATE * SECONDS;
  const sent: Promise<void>[] = [];
  const behind: number[] = [];
  const started = performance.now();
  for (let batch = 0; batch * BATCH < total; batch++) {
    const dueMs = (batch * BATCH * 1_000) / RATE;
    const early = dueMs - (performance.now() - started);
    if (early > 1) await pause(early);
    sent.push(postSignals(edge, bodies[batch % bodies.length] ?? ""));
    if (batch % 100 === 99) {
      await sent.at(-1);
      behind.push((batch + 1) * BATCH - ((await sizeNow()) - before));
    }
  }
  await Promise.all(sent);
  const seconds = (performance.now() - started) / 1_000;
  const answered = performance.now();
  while ((await sizeNow()) - before < total) await pause(5);
  const lagMs = performance.now() - answered;
  report({
    bench: "introspection",
    figure: "intake_rate",
    value: rounded(total / seconds, 4),
    unit: "observations/s, answered",
    target: { at_least: RATE * 0.98 },
    observations: total,
    not_yet_in_the_window_each_second: behind,
  });
  report({
    bench: "introspection",
    figure: "intake_lag_at_end",
    value: rounded(lagMs),
    unit: "ms from the last answer to the last observation in the window",
    target: { at_most: 1_000 },
  });
}
