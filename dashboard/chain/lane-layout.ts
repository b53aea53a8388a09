import type { Chain, ChainRow } from "./chain.ts";

/** A mark on a lane. */
export interface LaneMark {
  readonly key: string;
  readonly title: string;
  /** 0 to 1 of the time that the chain took. */
  readonly x: number;
  readonly state: ChainRow["state"];
  readonly asked: boolean;
}

export interface Lane {
  readonly name: string;
  readonly marks: readonly LaneMark[];
  /** Steps that are not drawn, because others lie at the same place. */
  readonly hidden: number;
}

const MAX_LANES = 12;
/** Places of a lane at which a mark may lie: more could not be told apart. */
const PLACES = 240;

/** Who did what and when: a lane for each source in the order of their first steps. The rest share the last lane. */
export function lanesOf({ rows, lanes, fromMs, untilMs }: Chain): Lane[] {
  const own = lanes.slice(0, lanes.length > MAX_LANES ? MAX_LANES - 1 : MAX_LANES);
  const rest = `${lanes.length - own.length} others`;
  const names = own.length === lanes.length ? own : [...own, rest];
  const known = new Set(own);
  const made = new Map(names.map((name) => [name, { taken: new Set<number>(), marks: [] as LaneMark[], hidden: 0 }]));
  const span = Math.max(1, untilMs - fromMs);
  for (const { key, title, lane, atMs, state, asked } of rows) {
    const one = made.get(known.has(lane) ? lane : rest);
    if (one === undefined || atMs === undefined) continue;
    const x = (atMs - fromMs) / span;
    const spot = Math.round(x * PLACES);
    if (one.taken.has(spot) && !asked) {
      one.hidden++;
      continue;
    }
    one.taken.add(spot);
    one.marks.push({ key, title, x, state, asked });
  }
  return [...made].map(([name, { marks, hidden }]) => ({ name, marks, hidden }));
}
