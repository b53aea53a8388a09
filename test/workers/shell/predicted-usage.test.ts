import { describe, expect, it } from "vitest";
import { predictUsage } from "../../../src/core/billing/predict.ts";
import { priceOf } from "../../../src/core/billing/prices.ts";
import { usageSince } from "../../../src/core/billing/usage.ts";
import { call, freshEcosystem } from "../api/calls.ts";
import { aSignal, logOf } from "../log-under-test.ts";

const SIGNALS = Array.from({ length: 50 }, (_, n) => aSignal("Q_BENCH_TICK", { n }));

describe("what a flow is predicted to use", () => {
  it("is what the meter counts, within five percent", async () => {
    const eco = freshEcosystem();
    const log = logOf(eco);
    const append = (first: number) =>
      log.append({ producer: { name: "h.e.local", first, remote: true }, owner: "h", signals: SIGNALS });
    // The first append makes tables.
    await append(1);
    const before = await log.usage();
    const appends = 260;
    for (let n = 1; n <= appends; n++) expect(await append(1 + n * SIGNALS.length)).toMatchObject({ accepted: 50 });
    const counted = usageSince(before, await log.usage());
    const flow = { signals: appends * SIGNALS.length, perAppend: SIGNALS.length, over: "call" as const };
    const predicted = predictUsage(flow);
    expect(counted.rows_written / predicted.rows_written).toBeCloseTo(1, 1);
    expect(Math.abs(priceOf(counted, 0) / priceOf(predicted, 0) - 1)).toBeLessThan(0.05);
    // Nothing else reads these signals: the rest of the ecosystem stays as it was.
    const { objects } = (await (await call(`/v1/${eco}/usage`)).json()) as { objects: Record<string, object> };
    expect(objects.observation_cache).toMatchObject({ requests: 1 });
  });
});
