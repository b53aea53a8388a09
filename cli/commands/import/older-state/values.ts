import { parseTimestamp } from "../../../../src/core/signals/timestamp.ts";

/** Smaller numbers are counts, lengths of time, or the time of a clock that begins with the machine. */
const LEAST_SECONDS = 1e8;
/** From here on numbers are milliseconds, microseconds, nanoseconds: in seconds they would be the year 5138. */
const UNITS = [
  [1e17, 1e9],
  [1e14, 1e6],
  [1e11, 1e3],
  [LEAST_SECONDS, 1],
] as const;
const NUMBER = /^\d+(\.\d+)?$/;

/** A time as older programs write one: seconds or milliseconds by size, RFC 3339, or a number as text. */
export function timeOf(value: unknown): number | undefined {
  if (value instanceof Date) return timeOf(value.toISOString());
  if (typeof value === "string" && NUMBER.test(value)) return timeOf(Number(value));
  if (typeof value !== "number") return parseTimestamp(value);
  const unit = UNITS.find(([least]) => value >= least);
  return unit === undefined ? undefined : parseTimestamp(value / unit[1]);
}

export type Fields = Readonly<Record<string, unknown>>;

export function isObject(value: unknown): value is Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value) && !(value instanceof Date);
}

/** The name of a field in one form: `lastDreamTrigger` and `last-dream-trigger` are `last_dream_trigger`. */
export const snakeOf = (name: string): string =>
  name
    .replace(/([a-z0-9])([A-Z])/g, "$1_$2")
    .replace(/[^A-Za-z0-9]+/g, "_")
    .toLowerCase();

const SINCE = [
  "since",
  "started_at",
  "start_time",
  "start",
  "started",
  "begun_at",
  "triggered_at",
  "last_triggered",
  "last_fired",
  "investigated_at",
  "processed_at",
  "seen_at",
  "first_seen",
  "last_seen",
  "at",
  "time",
  "timestamp",
  "ts",
  "until",
];
const NAMES = ["gap_name", "incident_id", "question_id", "key", "name", "capability", "rule", "signal", "id"];

/** The time that an item gives, itself or in one of its fields. */
export const timeIn = (value: unknown): number | undefined =>
  isObject(value) ? first(value, SINCE, timeOf) : timeOf(value);

/** What an item is called, itself or in one of its fields. */
export function nameIn(value: unknown): string | undefined {
  if (typeof value === "string" || typeof value === "number") return String(value);
  return isObject(value) ? first(value, NAMES, (one) => (typeof one === "string" ? one : undefined)) : undefined;
}

function first<Found>(fields: Fields, names: readonly string[], read: (value: unknown) => Found | undefined) {
  const bySnake = new Map(Object.entries(fields).map(([name, value]) => [snakeOf(name), value]));
  for (const name of names) {
    const found = read(bySnake.get(name));
    if (found !== undefined) return found;
  }
  return undefined;
}

export interface Item {
  /** Its place below the field. */
  readonly at: string;
  readonly name: string | undefined;
  readonly value: unknown;
}

/** The items of a list, or of an object by name. @returns `undefined` where the value is neither */
export function itemsOf(value: unknown): Item[] | undefined {
  if (Array.isArray(value)) return value.map((one, place) => ({ at: `[${place}]`, name: nameIn(one), value: one }));
  if (!isObject(value)) return undefined;
  return Object.entries(value).map(([name, one]) => ({ at: `.${name}`, name, value: one }));
}

const OFF = /^(idle|none|null|no|off|false|stopped|done|complete[d]?|finished|ended|failed|error|ready|waiting)$/i;

/** Whether a value says that something is going on. @returns `undefined` where it says nothing of the kind */
export function isGoingOn(value: unknown): boolean | undefined {
  if (value === null || value === "" || value === 0) return false;
  if (typeof value === "boolean") return value;
  if (typeof value === "string") return !OFF.test(value.trim());
  if (typeof value === "number") return true;
  if (Array.isArray(value)) return value.length > 0;
  if (!isObject(value)) return undefined;
  const flag = first(value, ["in_flight", "active", "running", "in_progress", "dreaming", "status", "state"], (one) =>
    one === undefined || isObject(one) ? undefined : isGoingOn(one),
  );
  return flag ?? Object.keys(value).length > 0;
}
