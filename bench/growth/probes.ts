import type { EdgeUnderTest } from "../edge-under-test.ts";
import { percentile, rounded } from "../figure.ts";
import { getJson, postSignals } from "../http-client.ts";
import { benchSignal } from "../link-client.ts";

const ROUNDS = 60;
const WARM_UP = 10;

/** Something that is timed at each point of a curve. */
export interface Probe {
  readonly name: string;
  readonly run: (edge: EdgeUnderTest, round: number) => Promise<unknown>;
}

export const append: Probe = {
  name: "append",
  run: (edge, round) => postSignals(edge, `[${benchSignal(round, "Q_BENCH_GROWTH")}]`),
};
export const newest = read("newest_100", "/v1/default/signals?order=desc&limit=100");
export const status = read("status", "/v1/default/status");
export const gaps = read("gaps_page", "/v1/default/gaps");

function read(name: string, path: string): Probe {
  return { name, run: (edge) => getJson(edge, path) };
}

/** @returns the median in milliseconds */
export async function medianMs({ run }: Probe, edge: EdgeUnderTest): Promise<number> {
  const millis: number[] = [];
  for (let round = 0; round < ROUNDS + WARM_UP; round++) {
    const started = performance.now();
    await run(edge, round);
    if (round >= WARM_UP) millis.push(performance.now() - started);
  }
  return rounded(percentile(millis, 0.5));
}
