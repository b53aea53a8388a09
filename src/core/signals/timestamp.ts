/**
 * Ganglion writes times as RFC 3339 in UTC with milliseconds. It accepts RFC 3339 with any offset, the same without an offset
 * (read as UTC, because Python's `datetime.utcnow().isoformat()` writes that), and numbers, which are seconds since the epoch.
 */
const RFC3339 =
  /^\d{4}-\d{2}-\d{2}[Tt ](?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d(\.\d{1,9})?([Zz]|[+-](?:[01]\d|2[0-3]):?[0-5]\d)?$/;

/** The form that Ganglion itself writes: by far the most common one, and cheap to recognise. */
const CANONICAL = /^\d{4}-\d\d-\d\dT(?:[01]\d|2[0-3]):\d\d:\d\d\.\d{3}Z$/;

/** What a text that is no time should be, for errors. */
export const TIME_RULE =
  "give RFC 3339 with a day and an hour that exist (2026-01-31T12:00:00.000Z), or seconds since the epoch";

/** The latest time with a four-digit year, in milliseconds since the epoch. */
const MAX_MS = Date.UTC(9999, 11, 31, 23, 59, 59, 999);

/** @returns milliseconds since the epoch, or `undefined` when `value` is not a time. */
export function parseTimestamp(value: unknown): number | undefined {
  if (typeof value === "number") {
    const ms = Math.round(value * 1000);
    return Number.isFinite(ms) && ms >= 0 && ms <= MAX_MS ? ms : undefined;
  }
  if (typeof value !== "string" || value.length > 40) return undefined;
  if (value === lastText) return lastMs;
  if (CANONICAL.test(value)) return remember(value, isDay(value) ? Date.parse(value) : Number.NaN);
  const match = RFC3339.exec(value);
  if (match === null || !isDay(value)) return undefined;
  const ms = Date.parse(match[2] === undefined ? `${value}Z` : value);
  return Number.isNaN(ms) || ms < 0 || ms > MAX_MS ? undefined : ms;
}

/** Whether a text that begins with a date names a day of the calendar: Date.parse takes 30 February for 2 March. */
function isDay(text: string): boolean {
  const day = Number(text.slice(8, 10));
  if (day <= 28) return day > 0;
  const [year, month] = [Number(text.slice(0, 4)), Number(text.slice(5, 7))];
  return day <= new Date(Date.UTC(year, month, 0)).getUTCDate();
}

// Signals of a batch mostly share their time, so remembering the last one is enough.
let lastText = "";
let lastMs: number | undefined;

function remember(text: string, ms: number): number | undefined {
  lastText = text;
  lastMs = Number.isNaN(ms) || ms < 0 ? undefined : ms;
  return lastMs;
}

// Leases that are given in one turn end together, and signals of a batch came together.
let formattedMs = Number.NaN;
let formatted = "";

/** @param ms - milliseconds since the epoch, 0 to the year 9999 */
export function formatTimestamp(ms: number): string {
  if (ms !== formattedMs) {
    formatted = new Date(ms).toISOString();
    formattedMs = ms;
  }
  return formatted;
}
