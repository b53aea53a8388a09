import { PRICES, priceOf } from "../src/core/billing/prices.ts";
import { type Usage, usageSince } from "../src/core/billing/usage.ts";
import type { EdgeUnderTest } from "./edge-under-test.ts";
import { type Report, rounded } from "./figure.ts";
import { getJson, postSignals } from "./http-client.ts";
import { benchSignal, openLink, pump } from "./link-client.ts";

interface Case {
  readonly figure: string;
  readonly size: number;
  readonly signals: number;
  readonly name: string;
  readonly over: "link" | "http";
  readonly atMost?: number;
}

const CASES: readonly Case[] = [
  { figure: "link_batch_100", size: 100, signals: 200_000, name: "Q_BENCH_TICK", over: "link", atMost: 0.03 },
  { figure: "link_one_by_one", size: 1, signals: 5_000, name: "Q_BENCH_TICK", over: "link", atMost: 2.75 },
  { figure: "link_batch_100_observations", size: 100, signals: 200_000, name: "OBSERVATION", over: "link" },
  { figure: "link_one_by_one_decided_on", size: 1, signals: 2_000, name: "Q_DREAM_COMPLETE", over: "link" },
  { figure: "http_batch_100", size: 100, signals: 50_000, name: "Q_BENCH_TICK", over: "http" },
  { figure: "http_one_by_one", size: 1, signals: 2_000, name: "Q_BENCH_TICK", over: "http" },
];

/**
 * US dollars per million signals at Cloudflare's list prices, from what the objects counted: one batch at a time, so
 * that no two share a row.
 */
export async function cost(edge: EdgeUnderTest, report: Report): Promise<void> {
  for (const { figure, size, signals, name, over, atMost } of CASES) {
    const batches = signals / size;
    const before = await used(edge);
    if (over === "link") {
      const link = await openLink(edge, "publisher");
      const producer = `publisher.${Math.random().toString(36).slice(2)}.local`;
      await pump(link, { producer, batches, size, inFlight: 1, name });
      link.close();
    } else {
      const body = `[${Array.from({ length: size }, (_, place) => benchSignal(place, name)).join(",")}]`;
      for (let batch = 0; batch < batches; batch++) await postSignals(edge, body);
    }
    await settled(edge);
    const spent = usageSince(before, await used(edge));
    const perMillion = 1_000_000 / signals;
    report({
      bench: "cost",
      figure,
      value: rounded(priceOf(spent, over === "http" ? batches : 0) * perMillion),
      unit: "USD per million signals",
      ...(atMost === undefined ? {} : { target: { at_most: atMost } }),
      batch: size,
      per_million: Object.fromEntries(
        Object.entries(spent).map(([unit, count]) => [unit, Math.round(count * perMillion)]),
      ),
      worker_requests_per_million: over === "http" ? Math.round(batches * perMillion) : 0,
      prices_usd_per_million: PRICES,
    });
  }
}

async function used(edge: EdgeUnderTest): Promise<Usage> {
  return ((await getJson(edge, "/v1/default/usage")) as { total: Usage }).total;
}

/** Resolves when two looks, a second apart, find that nothing more was used than by looking. */
async function settled(edge: EdgeUnderTest): Promise<void> {
  for (let quiet = 0, before = await used(edge); quiet < 2; ) {
    await new Promise((resolve) => setTimeout(resolve, 1_000));
    const now = await used(edge);
    const { rows_written, queue_messages } = usageSince(before, now);
    quiet = rows_written + queue_messages === 0 ? quiet + 1 : 0;
    before = now;
  }
}
