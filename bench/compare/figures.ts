import { type Figure, percentile, rounded } from "../figure.ts";
import { type ComparedFigure, FIGURES, type FigureName, type Results } from "./works.ts";

/** What one contestant did, round by round. */
export interface Played {
  readonly name: string;
  readonly rounds: readonly Results[];
}

export interface AllPlayed {
  readonly edge: Played;
  readonly floor: Played;
  /** The edge of another checkout, with the reasons why it does not do the works of some figures. */
  readonly before?: Played & { readonly leftOut: ReadonlyMap<FigureName, string> };
  readonly peers: readonly Played[];
}

/** A figure for each work: medians and ranges, and of what others did in the same rounds the median and range of the ratios. */
export function comparedFigures({ edge, floor, before, peers }: AllPlayed): Figure[] {
  return (Object.entries(FIGURES) as [FigureName, ComparedFigure][]).map(([name, figure]) => {
    const values = valuesIn(edge, name);
    const { at_least: least = Number.NEGATIVE_INFINITY, at_most: most = Number.POSITIVE_INFINITY } =
      figure.of_floor ?? {};
    const ofFloor = ratios(edge, floor, name);
    const ratio = percentile(ofFloor, 0.5);
    const reason = before?.leftOut.get(name);
    return {
      bench: "compared",
      figure: name,
      value: rounded(percentile(values, 0.5)),
      unit: figure.unit,
      range: rangeOf(values),
      ...(figure.target && { target: figure.target }),
      of_floor: rounded(ratio),
      of_floor_range: rangeOf(ofFloor),
      ...(figure.of_floor && { of_floor_target: figure.of_floor, of_floor_met: ratio >= least && ratio <= most }),
      ...(before && besideBefore(edge, before, name)),
      ...(reason !== undefined && { before_left_out: reason }),
      compared_with: Object.fromEntries(
        [floor, ...peers]
          .map((other) => [other.name, valuesIn(other, name)] as const)
          .filter(([, some]) => some.length > 0)
          .map(([other, some]) => [other, rounded(percentile(some, 0.5))]),
      ),
      rounds: edge.rounds.length,
    };
  });
}

function besideBefore(edge: Played, before: Played, name: FigureName): object {
  const values = valuesIn(before, name);
  if (values.length === 0) return {};
  const ofBefore = ratios(edge, before, name);
  return {
    before: rounded(percentile(values, 0.5)),
    before_range: rangeOf(values),
    of_before: rounded(percentile(ofBefore, 0.5)),
    of_before_range: rangeOf(ofBefore),
  };
}

/** Of each round in which both did it. */
function ratios(one: Played, other: Played, name: FigureName): number[] {
  return one.rounds.flatMap((results, round) => {
    const value = valueIn(results, name);
    const beside = valueIn(other.rounds[round] ?? {}, name);
    return value === undefined || beside === undefined ? [] : [value / beside];
  });
}

const valuesIn = ({ rounds }: Played, name: FigureName): number[] =>
  rounds.flatMap((results) => valueIn(results, name) ?? []);

function valueIn(results: Results, name: FigureName): number | undefined {
  if (name !== "enqueue_behind_100k_of_none") return results[name];
  const { enqueue: none, enqueue_behind_100k: behind } = results;
  return none === undefined || behind === undefined ? undefined : behind / none;
}

const rangeOf = (values: readonly number[]): [number, number] => [
  rounded(Math.min(...values)),
  rounded(Math.max(...values)),
];
