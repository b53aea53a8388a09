import { closeSync, fdatasyncSync, mkdtempSync, openSync, rmSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PING } from "../src/core/wire/link-frames.ts";
import type { EdgeUnderTest } from "./edge-under-test.ts";
import { percentile, type Report, rounded } from "./figure.ts";
import { postSignals } from "./http-client.ts";
import { type BareLink, benchSignal, openLink } from "./link-client.ts";

const ROUNDS = 300;

/** From the sending of a batch to its arrival, whole and durable, at a live subscriber; one at a time. */
export async function latency(edge: EdgeUnderTest, report: Report): Promise<void> {
  const name = "Q_BENCH_PING";
  const subscriber = await openLink(edge, "subscriber");
  const publisher = await openLink(edge, "publisher");
  await subscriber.subscribe(name);
  let arrived = (_last: number): void => {};
  let waiting = 0;
  subscriber.onSignals = (text, last) => {
    subscriber.send(`{"type":"seen","seq":${last}}`);
    waiting -= text.split('{"seq":').length - 1;
    if (waiting <= 0) arrived(last);
  };
  const floor = { ping_round_trip_ms: rounded(await pingMs(publisher)), flush_ms: rounded(flushMs()) };
  let number = 1;
  const producer = `publisher.${Math.random().toString(36).slice(2)}.latency`;
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
      }
      report({
        bench: "latency",
        figure: `${way}_batch_${size}`,
        value: rounded(percentile(millis, 0.5)),
        unit: "ms",
        ...(way === "link" && size === 1 ? { target: { at_most: 0.5 } } : {}),
        p99_ms: rounded(percentile(millis, 0.99)),
        rounds: ROUNDS,
        compared_with: floor,
      });
    }
  }
  publisher.close();
  subscriber.close();
}

/** A text there and back over the same socket, answered by the runtime without the object: what no design can beat. */
async function pingMs(link: BareLink): Promise<number> {
  const millis: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    const started = performance.now();
    const back = new Promise<void>((resolve) => {
      link.onPong = resolve;
    });
    link.send(PING);
    await back;
    millis.push(performance.now() - started);
  }
  return percentile(millis, 0.5);
}

/** One flush of this machine's disk: a signal is sent to subscribers after the flush. */
function flushMs(): number {
  const directory = mkdtempSync(join(tmpdir(), "ganglion-flush-"));
  const file = openSync(join(directory, "flush"), "w");
  const millis: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    writeSync(file, Buffer.alloc(4_096));
    const started = performance.now();
    fdatasyncSync(file);
    millis.push(performance.now() - started);
  }
  closeSync(file);
  rmSync(directory, { recursive: true });
  return percentile(millis, 0.5);
}
