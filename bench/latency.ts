import { setTimeout as pause } from "node:timers/promises";
import type { EdgeUnderTest } from "./edge-under-test.ts";
import { percentile, type Report, rounded } from "./figure.ts";
import { postSignals } from "./http-client.ts";
import { benchSignal, openLink } from "./link-client.ts";

const ROUNDS = 300;
/** Between two signals, in milliseconds: the edge is idle when each comes. */
const PAUSE_MS = 0;

/** From the sending of a batch to its arrival, whole and durable, at a live subscriber; one at a time. */
export async function latency(edge: EdgeUnderTest, report: Report): Promise<void> {
  const name = "Q_BENCH_PING";
  const subscriber = await openLink(edge, "subscriber");
  const publisher = await openLink(edge, "publisher");
  subscriber.send(JSON.stringify({ type: "subscribe", after: null, signals: [name] }));
  let arrived = (_last: number): void => {};
  let waiting = 0;
  subscriber.onSignals = (text, last) => {
    subscriber.send(`{"type":"seen","seq":${last}}`);
    waiting -= text.split('{"seq":').length - 1;
    if (waiting <= 0) arrived(last);
  };
  let number = 1;
  const producer = `bench.latency.${Math.random().toString(36).slice(2)}`;
  for (const size of [1, 100]) {
    const bodies = Array.from({ length: size }, (_, place) => benchSignal(place, name)).join(",");
    const ways: Record<string, () => Promise<void> | void> = {
      link: () => {
        publisher.send(
          `{"type":"append","batch":${number},"producer":"${producer}","first":${number},"signals":[${bodies}]}`,
        );
        number += size;
      },
      http: () => postSignals(edge, `[${bodies}]`),
    };
    for (const [way, send] of Object.entries(ways)) {
      const millis: number[] = [];
      for (let round = 0; round < ROUNDS + 50; round++) {
        const there = new Promise<number>((resolve) => {
          arrived = resolve;
        });
        waiting = size;
        const started = performance.now();
        const sent = send();
        await there;
        if (round >= 50) millis.push(performance.now() - started);
        await sent;
        if (PAUSE_MS) await pause(PAUSE_MS);
      }
      report({
        bench: "latency",
        figure: `${way}_batch_${size}`,
        value: rounded(percentile(millis, 0.5)),
        unit: "ms",
        ...(way === "link" && size === 1 ? { target: { at_most: 0.5 } } : {}),
        p99_ms: rounded(percentile(millis, 0.99)),
        rounds: ROUNDS,
      });
    }
  }
  publisher.close();
  subscriber.close();
}
