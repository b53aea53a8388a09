import { predictUsage } from "../src/core/billing/predict.ts";
import { priceOf } from "../src/core/billing/prices.ts";
import { type Usage, usageSince } from "../src/core/billing/usage.ts";
import type { EdgeUnderTest } from "./edge-under-test.ts";
import { type Report, rounded } from "./figure.ts";
import { getJson } from "./http-client.ts";
import { openLink, pump } from "./link-client.ts";

const PER_APPEND = 100;

/**
 * A million signals over a link: what the meter counts, against what the design says. The short form, with fixed inputs, is
 * `test/workers/shell/predicted-usage.test.ts`. `GANGLION_BENCH_SIGNALS`: how many signals.
 */
export async function predicted(edge: EdgeUnderTest, report: Report): Promise<void> {
  const signals = Number(process.env.GANGLION_BENCH_SIGNALS) || 1_000_000;
  const before = await used(edge);
  const link = await openLink(edge, "publisher");
  const producer = `publisher.${Math.random().toString(36).slice(2)}.local`;
  const batches = signals / PER_APPEND;
  await pump(link, { producer, batches, size: PER_APPEND, inFlight: 1, name: "Q_BENCH_TICK" });
  const after = await used(edge);
  link.close();
  const counted = priceOf(usageSince(before, after), 0);
  const expected = priceOf(predictUsage({ signals, perAppend: PER_APPEND, over: "link" }), 0);
  report({
    bench: "predicted",
    figure: "counted_against_predicted",
    value: rounded((Math.abs(counted - expected) / expected) * 100),
    unit: "% of the predicted price",
    target: { at_most: 5 },
    signals,
    counted_usd: rounded(counted),
    predicted_usd: rounded(expected),
  });
}

async function used(edge: EdgeUnderTest): Promise<Usage> {
  return ((await getJson(edge, "/v1/default/usage")) as { objects: { signal_log: Usage } }).objects.signal_log;
}
