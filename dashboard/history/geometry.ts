import type { Columns } from "./series.ts";

/** Room for the labels of the axes, in pixels. */
const LEFT = 56;
const BOTTOM = 24;
const EDGE = 8;
/** Room between two labels, in pixels. */
const LABEL_WIDTH = 72;
const LABEL_HEIGHT = 28;
/** Room above the highest and below the lowest value, as a share. */
const MARGIN = 0.06;
/** What lies between two labels of time, in seconds. */
const TIME_STEPS = [
  1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1_800, 3_600, 7_200, 10_800, 21_600, 43_200, 86_400, 172_800,
] as const;

/** How times and values become places in a picture, in pixels. */
export interface Frame {
  readonly left: number;
  readonly right: number;
  readonly top: number;
  readonly bottom: number;
  /** Of a time in seconds. */
  readonly x: (time: number) => number;
  readonly y: (value: number) => number;
  /** The time at a place. */
  readonly timeAt: (x: number) => number;
  readonly timeTicks: readonly number[];
  readonly valueTicks: readonly number[];
}

/** @param zoneSeconds - how much the reader's time is ahead of UTC: labels are whole hours and days there */
export function frameOf(
  [times, , lowest, highest]: Columns,
  { width, height, zoneSeconds }: { readonly width: number; readonly height: number; readonly zoneSeconds: number },
): Frame {
  const [from = 0, until = 0] = [times[0], times.at(-1)];
  const values = [...lowest, ...highest].filter((value) => value !== null);
  const [low, high] = [
    least(values, Number.POSITIVE_INFINITY, Math.min),
    least(values, Number.NEGATIVE_INFINITY, Math.max),
  ];
  const room = (high - low || Math.abs(high) || 1) * MARGIN;
  const [bottomValue, topValue] = [low - room, high + room];
  const [left, right, top, bottom] = [LEFT, Math.max(LEFT + 1, width - EDGE), EDGE, height - BOTTOM];
  const span = until - from || 1;
  const perSecond = (right - left) / span;
  const perValue = (bottom - top) / (topValue - bottomValue);
  return {
    left,
    right,
    top,
    bottom,
    x: (time) => left + (time - from) * perSecond,
    y: (value) => bottom - (value - bottomValue) * perValue,
    timeAt: (x) => from + (Math.min(right, Math.max(left, x)) - left) / perSecond,
    timeTicks: ticks(from, until, timeStep((span * LABEL_WIDTH) / (right - left)), zoneSeconds),
    valueTicks: ticks(bottomValue, topValue, roundStep((topValue - bottomValue) / ((bottom - top) / LABEL_HEIGHT)), 0),
  };
}

/** Without spreading: a chart may have more points than a call may have arguments. */
const least = (values: readonly number[], start: number, pick: (a: number, b: number) => number) =>
  values.reduce((a, b) => pick(a, b), start);

const timeStep = (wanted: number) => TIME_STEPS.find((step) => step >= wanted) ?? Math.ceil(wanted / 86_400) * 86_400;

/** The next of 1, 2, 5, 10, 20, 50 and so on. */
function roundStep(wanted: number): number {
  const power = 10 ** Math.floor(Math.log10(wanted));
  return (([1, 2, 5] as const).find((part) => part * power >= wanted) ?? 10) * power;
}

/** Multiples of a step from one value to another. */
function ticks(from: number, until: number, step: number, offset: number): number[] {
  const first = Math.ceil((from + offset) / step);
  const count = Math.floor((until + offset) / step) - first + 1;
  // Products, because sums of a step such as 0.1 drift.
  return Array.from({ length: Math.max(0, count) }, (_, place) =>
    Number(((first + place) * step - offset).toPrecision(12)),
  );
}

type Column = readonly (number | null)[];

/** The path of a line; it breaks where a value is missing. */
export function lineOf(times: readonly number[], values: Column, { x, y }: Frame): string {
  let path = "";
  let pen = "M";
  for (const [place, value] of values.entries()) {
    if (value === null) pen = "M";
    else {
      path += `${pen}${x(times[place] ?? 0).toFixed(1)} ${y(value).toFixed(1)}`;
      pen = "L";
    }
  }
  return path;
}

/** The path around the values between two lines, a piece for each stretch without a hole. */
export function bandOf(times: readonly number[], lowest: Column, highest: Column, frame: Frame): string {
  let path = "";
  for (let from = 0; from < times.length; ) {
    let until = from;
    while (until < times.length && lowest[until] !== null && highest[until] !== null) until++;
    if (until - from > 1) {
      const piece = times.slice(from, until);
      const above = lineOf(piece, highest.slice(from, until), frame);
      const back = lineOf(piece.toReversed(), lowest.slice(from, until).toReversed(), frame);
      path += `${above}L${back.slice(1)}Z`;
    }
    from = until + 1;
  }
  return path;
}

/** The place of the time that is nearest, among times in their order. */
export function nearest(times: readonly number[], time: number): number {
  const after = times.findIndex((one) => one >= time);
  if (after <= 0) return after === 0 ? 0 : times.length - 1;
  return time - (times[after - 1] ?? 0) < (times[after] ?? 0) - time ? after - 1 : after;
}

const DAY_SECONDS = 86_400;

/** A label of a time: to the second where labels are closer than a minute, with the day where the range has several. */
export function timeLabel(time: number, { timeTicks: [first = 0, second = 0], left, right, timeAt }: Frame): string {
  const at = new Date(time * 1_000);
  const two = (part: number) => String(part).padStart(2, "0");
  const seconds = second > first && second - first < 60 ? `:${two(at.getSeconds())}` : "";
  const text = `${two(at.getHours())}:${two(at.getMinutes())}${seconds}`;
  return timeAt(right) - timeAt(left) > DAY_SECONDS ? `${at.getDate()}. ${text}` : text;
}
