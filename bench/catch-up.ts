import { randomBytes } from "node:crypto";
import type { EdgeUnderTest } from "./edge-under-test.ts";
import { type Report, rounded } from "./figure.ts";
import { getJson, postSignals } from "./http-client.ts";
import { benchSignal, openLink, pump } from "./link-client.ts";
import { peakMegabytes } from "./process-memory.ts";

const SIGNALS = Number(process.env.GANGLION_SIGNALS ?? 1_000_000);
const BATCH = 1_000;
const NUMBERED = "Q_BENCH_NUMBERED";
const WITH_IDS = "Q_BENCH_IDS";

/** How fast a subscriber gets signals that are in the log already, and how soon a log that has just woken takes an id. */
export async function catchUp(first: EdgeUnderTest, report: Report): Promise<void> {
  const numbered = await openLink(first, "publisher");
  const producer = "publisher.catch-up.local";
  await pump(numbered, { producer, batches: SIGNALS / BATCH, size: BATCH, inFlight: 4, name: NUMBERED });
  numbered.close();
  await postWithIds(first, SIGNALS);
  let edge = first;
  for (const [figure, name, lastSeq] of [
    ["numbered_signals", NUMBERED, SIGNALS],
    ["signals_with_ids", WITH_IDS, 2 * SIGNALS],
  ] as const) {
    // What was needed to fill the log is not to be counted.
    edge = await edge.restart();
    const seconds = await follow(edge, name, lastSeq);
    report({
      bench: "catch-up",
      figure,
      value: Math.round(SIGNALS / seconds),
      unit: "signals/s",
      target: { at_least: 500_000 },
      signals: SIGNALS,
    });
    report({
      bench: "catch-up",
      figure: `${figure}_peak`,
      value: rounded(peakMegabytes(edge.pid)),
      unit: "MB",
      target: { at_most: 200 },
    });
  }
  const second = await edge.restart();
  const without = { figure: "first_append_without_id", signal: () => benchSignal(1, WITH_IDS) };
  await measureFirst(second, without, report);
  const third = await second.restart();
  const named = { figure: "first_append_with_id", signal: () => withId(benchSignal(1, WITH_IDS)), atMost: 50 };
  await measureFirst(third, named, report);
  await third.stop();
}

interface FirstAppend {
  readonly figure: string;
  readonly signal: () => string;
  readonly atMost?: number;
}

/** @param edge - has just started */
async function measureFirst(edge: EdgeUnderTest, { figure, signal, atMost }: FirstAppend, report: Report) {
  // The token and the network are warm then, the log is not.
  await getJson(edge, "/v1/default/queues");
  const millis: number[] = [];
  for (let round = 0; round < 3; round++) {
    const started = performance.now();
    await postSignals(edge, `[${signal()}]`);
    millis.push(performance.now() - started);
  }
  const [firstMs = Number.NaN, secondMs = Number.NaN, thirdMs = Number.NaN] = millis;
  report({
    bench: "catch-up",
    figure,
    value: rounded(firstMs),
    unit: "ms",
    ...(atMost === undefined ? {} : { target: { at_most: atMost } }),
    signals: 2 * SIGNALS,
    compared_with: { second_ms: rounded(secondMs), third_ms: rounded(thirdMs) },
  });
}

/**
 * Looks into no frame but for its last place: counting the signals of the texts took the client longer than sending them
 * took the edge.
 *
 * @returns seconds until a subscriber from the beginning had the signals of this name up to `lastSeq`
 */
async function follow(edge: EdgeUnderTest, name: string, lastSeq: number): Promise<number> {
  const link = await openLink(edge, "subscriber");
  const started = performance.now();
  await new Promise<void>((resolve, reject) => {
    link.onClose = (code) => reject(new Error(`the edge closed the link (${code})`));
    link.onSignals = (_, last) => {
      link.send(`{"type":"seen","seq":${last}}`);
      if (last >= lastSeq) resolve();
    };
    link.send(JSON.stringify({ type: "subscribe", after: 0, signals: [name] }));
  });
  const seconds = (performance.now() - started) / 1_000;
  link.close();
  return seconds;
}

async function postWithIds(edge: EdgeUnderTest, signals: number): Promise<void> {
  const bodies = Array.from({ length: BATCH }, (_, place) => benchSignal(place, WITH_IDS));
  let left = signals / BATCH;
  const worker = async () => {
    while (left-- > 0) await postSignals(edge, `[${bodies.map(withId).join(",")}]`);
  };
  await Promise.all([worker(), worker(), worker(), worker()]);
}

/** As clients give them. */
const withId = (signal: string) => signal.replace("{", `{"id":"${randomBytes(12).toString("hex")}",`);
