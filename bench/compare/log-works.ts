import type { ReachedEdge } from "../edge-under-test.ts";
import { percentile } from "../figure.ts";
import { benchSignal, openLink, pump } from "../link-client.ts";

const NAME = "Q_BENCH_TICK";
const producer = () => `publisher.${Math.random().toString(36).slice(2)}.local`;

/** A log that speaks the edge's frames: the edge, or the floor. */
export type Log = ReachedEdge;

/** @returns signals per second that were stored, and milliseconds from the sending of a batch to its arrival at a subscriber */
export async function stream(
  log: Log,
  { size, inFlight, signals }: { readonly size: number; readonly inFlight: number; readonly signals: number },
): Promise<{ readonly perSecond: number; readonly deliveryMs: number }> {
  const subscriber = await openLink(log, "subscriber");
  const publisher = await openLink(log, "publisher");
  const batches = signals / size;
  const sentAt: number[] = [];
  const millis: number[] = [];
  let seen = 0;
  const all = new Promise<void>((resolve) => {
    subscriber.onSignals = (text, last) => {
      subscriber.send(`{"type":"seen","seq":${last}}`);
      seen += text.split('{"seq":').length - 1;
      const now = performance.now();
      while (millis.length < Math.floor(seen / size)) millis.push(now - (sentAt[millis.length] ?? Number.NaN));
      if (seen >= signals) resolve();
    };
  });
  await subscriber.subscribe(NAME);
  const send = publisher.send.bind(publisher);
  publisher.send = (text) => {
    sentAt.push(performance.now());
    send(text);
  };
  const seconds = await pump(publisher, { producer: producer(), batches, size, inFlight, name: NAME });
  await all;
  subscriber.close();
  publisher.close();
  return { perSecond: signals / seconds, deliveryMs: percentile(millis, 0.5) };
}

/** @returns milliseconds from sending one signal to its arrival at a subscriber, one after the other: the median */
export async function publish(log: Log, rounds: number): Promise<number> {
  const subscriber = await openLink(log, "subscriber");
  const publisher = await openLink(log, "publisher");
  let arrived = (): void => {};
  let answered = (): void => {};
  subscriber.onSignals = (_text, last) => {
    subscriber.send(`{"type":"seen","seq":${last}}`);
    arrived();
  };
  publisher.onFrame = ({ type }) => type === "appended" && answered();
  await subscriber.subscribe(NAME);
  const own = producer();
  const millis: number[] = [];
  for (let round = 1; round <= rounds; round++) {
    const there = new Promise<void>((resolve) => {
      arrived = resolve;
    });
    const confirmed = new Promise<void>((resolve) => {
      answered = resolve;
    });
    const started = performance.now();
    publisher.send(
      `{"type":"append","batch":${round},"producer":"${own}","first":${round},"signals":[${benchSignal(round, NAME)}]}`,
    );
    await there;
    if (round > rounds / 5) millis.push(performance.now() - started);
    await confirmed;
  }
  subscriber.close();
  publisher.close();
  return percentile(millis, 0.5);
}
