/** What a clock on the wall shows. */
export interface WallTime {
  readonly year: number;
  /** 1 to 12 */
  readonly month: number;
  readonly day: number;
  readonly hour: number;
  readonly minute: number;
  readonly second: number;
}

const DAY_MS = 86_400_000;
const formats = new Map<string, Intl.DateTimeFormat>();

/** @param zone - name in the time zone database, such as `Europe/Berlin` */
export function wallTime(ms: number, zone: string): WallTime {
  let format = formats.get(zone);
  if (format === undefined) {
    format = new Intl.DateTimeFormat("en-US", {
      timeZone: zone,
      calendar: "iso8601",
      numberingSystem: "latn",
      hourCycle: "h23",
      year: "numeric",
      month: "numeric",
      day: "numeric",
      hour: "numeric",
      minute: "numeric",
      second: "numeric",
    });
    formats.set(zone, format);
  }
  const parts = new Map(format.formatToParts(ms).map(({ type, value }) => [type, Number(value)]));
  const part = (type: Intl.DateTimeFormatPartTypes) => parts.get(type) ?? 0;
  return {
    year: part("year"),
    month: part("month"),
    day: part("day"),
    hour: part("hour"),
    minute: part("minute"),
    second: part("second"),
  };
}

/**
 * The moment at which a clock shows a time. A time that clocks skip when they are put forward is taken as the same span
 * after the skip; of a time that comes twice, the first is taken.
 */
export function momentOf(wall: WallTime, zone: string): number {
  const asUtc = utcOf(wall);
  const before = offsetAt(asUtc - DAY_MS, zone);
  if (offsetAt(asUtc - before, zone) === before) return asUtc - before;
  const after = offsetAt(asUtc + DAY_MS, zone);
  return offsetAt(asUtc - after, zone) === after ? asUtc - after : asUtc - before;
}

function utcOf({ year, month, day, hour, minute, second }: WallTime): number {
  return Date.UTC(year, month - 1, day, hour, minute, second);
}

function offsetAt(ms: number, zone: string): number {
  const seconds = Math.floor(ms / 1_000) * 1_000;
  return utcOf(wallTime(seconds, zone)) - seconds;
}
