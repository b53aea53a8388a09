import { sqliteBaseline } from "./baseline.ts";
import type { EdgeUnderTest } from "./edge-under-test.ts";
import { type Report, rounded } from "./figure.ts";
import { postSignals } from "./http-client.ts";
import { benchSignal, openLink, pump } from "./link-client.ts";

interface Load {
  readonly figure: string;
  readonly size: number;
  readonly inFlight: number;
  readonly signals: number;
  readonly name: string;
  readonly atLeast?: number;
}

const OVER_LINK: readonly Load[] = [
  { figure: "link_batch_100", size: 100, inFlight: 8, signals: 600_000, name: "Q_BENCH_TICK", atLeast: 150_000 },
  { figure: "link_one_by_one", size: 1, inFlight: 64, signals: 60_000, name: "Q_BENCH_TICK", atLeast: 25_000 },
  // Every one of these also goes through the queue into the observation window.
  { figure: "link_batch_100_observations", size: 100, inFlight: 8, signals: 300_000, name: "OBSERVATION" },
];

const OVER_HTTP: readonly Load[] = [
  { figure: "http_batch_100", size: 100, inFlight: 8, signals: 100_000, name: "Q_BENCH_TICK" },
  { figure: "http_one_by_one", size: 1, inFlight: 64, signals: 10_000, name: "Q_BENCH_TICK" },
];

/** Signals per second through one ecosystem, validated, deduplicated, durable, with one live subscriber. */
export async function throughput(edge: EdgeUnderTest, report: Report): Promise<void> {
  for (const load of OVER_LINK) {
    const run = async (signals: number) => {
      const seen = await subscriber(edge, load.name, signals);
      const link = await openLink(edge, "publisher");
      const producer = `publisher.${Math.random().toString(36).slice(2)}.local`;
      const batches = signals / load.size;
      const seconds = await pump(link, { ...load, producer, batches });
      const delivered = await seen.all;
      link.close();
      seen.close();
      return { stored: signals / seconds, delivered: signals / delivered };
    };
    await run(load.signals / 10); // the code is compiled as it warms
    const { stored, delivered } = await run(load.signals);
    report({
      bench: "throughput",
      figure: load.figure,
      value: Math.round(stored),
      unit: "signals/s",
      ...(load.atLeast === undefined ? {} : { target: { at_least: load.atLeast } }),
      delivered_per_second: Math.round(delivered),
      batch: load.size,
      in_flight: load.inFlight,
      compared_with: {
        sqlite_row_per_batch: Math.round(sqliteBaseline(load.size, "batch")),
        sqlite_row_per_signal: Math.round(sqliteBaseline(load.size, "signal")),
      },
    });
  }
  for (const load of OVER_HTTP) {
    const bodies = Array.from({ length: 20 }, (_, batch) => {
      const signals = Array.from({ length: load.size }, (_, place) =>
        benchSignal(batch * load.size + place, load.name),
      );
      return `[${signals.join(",")}]`;
    });
    let left = load.signals / load.size;
    const started = performance.now();
    const worker = async () => {
      while (left-- > 0) await postSignals(edge, bodies[left % bodies.length] ?? "[]");
    };
    await Promise.all(Array.from({ length: load.inFlight }, worker));
    report({
      bench: "throughput",
      figure: load.figure,
      value: rounded(load.signals / ((performance.now() - started) / 1_000)),
      unit: "signals/s",
      batch: load.size,
      in_flight: load.inFlight,
    });
  }
}

/** Counts what reaches it. `all` resolves with the seconds that it took until everything was there. */
async function subscriber(edge: EdgeUnderTest, name: string, signals: number) {
  const link = await openLink(edge, "subscriber");
  let firstSeq: number | undefined;
  const started = performance.now();
  const all = new Promise<number>((resolve) => {
    link.onSignals = (text, last) => {
      firstSeq ??= Number(/"seq":(\d+)/.exec(text.slice(0, 200))?.[1]);
      link.send(`{"type":"seen","seq":${last}}`);
      if (last - firstSeq + 1 >= signals) resolve((performance.now() - started) / 1_000);
    };
  });
  await link.subscribe(name);
  return { all, close: () => link.close() };
}
