import { type EdgeUnderTest, startEdgeUnderTest } from "../edge-under-test.ts";
import { percentile, type Report, rounded } from "../figure.ts";
import { startFloor } from "../floor/start.ts";
import { startPeers } from "./peers.ts";
import {
  type ComparedFigure,
  type Contestant,
  FIGURES,
  type FigureName,
  FULL,
  type Results,
  runWorks,
} from "./works.ts";

const DEFAULT_ROUNDS = 5;

/**
 * The same works by the edge, by the floor of its runtime, and by others whose servers are installed here, in turns, so that
 * what else the machine does falls upon all. Each round is a ratio of its own; the figures are medians and ranges of those.
 */
export async function compared(_edge: EdgeUnderTest, report: Report): Promise<void> {
  const rounds = Number(process.env.GANGLION_ROUNDS ?? DEFAULT_ROUNDS);
  const contestants = await startAll();
  const all: Results[][] = contestants.map(() => []);
  try {
    for (let round = 0; round <= rounds; round++) {
      for (const [place, { name, run }] of contestants.entries()) {
        console.error(`  round ${round} of ${rounds}: ${name}`);
        const results = await run(FULL);
        // The first round is left out: code is compiled as it warms.
        if (round > 0) all[place]?.push(results);
      }
    }
  } finally {
    for (const { stop } of contestants) await stop();
  }
  const [ours = [], floor = [], ...peers] = all;
  const peerNames = contestants.slice(2).map(({ name }) => name);
  for (const [name, figure] of Object.entries(FIGURES) as [FigureName, ComparedFigure][]) {
    const values = valuesOf(ours, name);
    const ratios = values.map((value, round) => value / (valuesOf(floor, name)[round] ?? Number.NaN));
    const ratio = percentile(ratios, 0.5);
    const { at_least: least = Number.NEGATIVE_INFINITY, at_most: most = Number.POSITIVE_INFINITY } =
      figure.of_floor ?? {};
    report({
      bench: "compared",
      figure: name,
      value: rounded(percentile(values, 0.5)),
      unit: figure.unit,
      range: rangeOf(values),
      ...(figure.target && { target: figure.target }),
      of_floor: rounded(ratio),
      of_floor_range: rangeOf(ratios),
      ...(figure.of_floor && { of_floor_target: figure.of_floor, of_floor_met: ratio >= least && ratio <= most }),
      compared_with: Object.fromEntries(
        [["floor", floor] as const, ...peers.map((results, place) => [peerNames[place] ?? "", results] as const)]
          .map(([contestant, results]) => [contestant, valuesOf(results, name)] as const)
          .filter(([, some]) => some.length > 0)
          .map(([contestant, some]) => [contestant, rounded(percentile(some, 0.5))]),
      ),
      rounds,
    });
  }
  const behind = valuesOf(ours, "enqueue_behind_100k").map(
    (value, round) => value / (valuesOf(ours, "enqueue")[round] ?? Number.NaN),
  );
  report({
    bench: "compared",
    figure: "enqueue_behind_100k_of_none",
    value: rounded(percentile(behind, 0.5)),
    unit: "of the rate without a backlog",
    target: { at_least: 0.95 },
    range: rangeOf(behind),
    rounds,
  });
}

async function startAll(): Promise<Contestant[]> {
  const started: Contestant[] = [];
  for (const [name, start] of [
    ["edge", startEdgeUnderTest],
    ["floor", startFloor],
  ] as const) {
    const target = await start();
    started.push({ name, run: (sizes) => runWorks(target, sizes), stop: target.stop });
  }
  return [...started, ...(await startPeers())];
}

const valuesOf = (results: readonly Results[], name: FigureName): number[] =>
  results.flatMap(({ [name]: value }) => (value === undefined ? [] : [value]));

const rangeOf = (values: readonly number[]): [number, number] => [
  rounded(Math.min(...values)),
  rounded(Math.max(...values)),
];
