import { type EdgeUnderTest, startEdgeUnderTest } from "../edge-under-test.ts";
import type { Report } from "../figure.ts";
import { startFloor } from "../floor/start.ts";
import type { BenchOptions } from "../options.ts";
import { startBefore } from "./before.ts";
import { comparedFigures } from "./figures.ts";
import { startPeers } from "./peers.ts";
import { type Contestant, FULL, type Results, runWorks } from "./works.ts";

const DEFAULT_ROUNDS = 5;

type Playing<Of extends Contestant = Contestant> = Of & { readonly rounds: Results[] };

/**
 * The same works by the edge, by the floor of its runtime, by the edge of another checkout where one is named, and by others
 * whose servers are installed here, in turns, so that what else the machine does falls upon all. Each round is a ratio of its
 * own; the figures are medians and ranges of those.
 */
export async function compared(_edge: EdgeUnderTest, report: Report, { before }: BenchOptions): Promise<void> {
  const rounds = Number(process.env.GANGLION_ROUNDS ?? DEFAULT_ROUNDS);
  const started: Playing[] = [];
  const add = <Of extends Contestant>(contestant: Of): Playing<Of> => {
    const playing = { ...contestant, rounds: [] };
    started.push(playing);
    return playing;
  };
  try {
    const edge = add(speaking("edge", await startEdgeUnderTest()));
    const other = before === undefined ? undefined : add(await startBefore(before));
    const floor = add(speaking("floor", await startFloor()));
    const peers = (await startPeers()).map(add);
    for (let round = 0; round <= rounds; round++) {
      for (const { name, run, rounds: done } of started) {
        console.error(`  round ${round} of ${rounds}: ${name}`);
        const results = await run(FULL);
        // The first round is left out: code is compiled as it warms.
        if (round > 0) done.push(results);
      }
    }
    for (const figure of comparedFigures({ edge, floor, ...(other && { before: other }), peers })) report(figure);
  } finally {
    for (const { stop } of started) await stop();
  }
}

const speaking = (name: string, target: EdgeUnderTest): Contestant => ({
  name,
  run: (sizes) => runWorks(target, sizes),
  stop: target.stop,
});
