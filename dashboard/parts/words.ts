/** Texts for people, made of numbers and times. */

const UNITS = [
  ["d", 86_400_000],
  ["h", 3_600_000],
  ["min", 60_000],
  ["s", 1_000],
] as const;

/** A length of time in its two largest units: `3 min 20 s`, `450 ms`. */
export function duration(ms: number): string {
  const length = Math.abs(ms);
  if (length < 1_000) return `${Math.round(length)} ms`;
  const place = UNITS.findIndex(([, size]) => length >= size);
  const [unit, size] = UNITS[place] ?? ["s", 1_000];
  const whole = Math.floor(length / size);
  const smaller = UNITS[place + 1];
  // A second unit adds nothing to what is long already.
  if (smaller === undefined) return length < 10_000 ? `${(length / 1_000).toFixed(1)} s` : `${whole} s`;
  const rest = Math.floor((length - whole * size) / smaller[1]);
  return whole >= 10 || rest === 0 ? `${whole} ${unit}` : `${whole} ${unit} ${rest} ${smaller[0]}`;
}

/** A time as people say it: `2 min ago`, `in 3 s`. */
export function relative(atMs: number, nowMs: number): string {
  const ms = nowMs - atMs;
  if (Math.abs(ms) < 1_000) return "now";
  const text = duration(ms).replace(/\.\d s$/, " s");
  return ms > 0 ? `${text} ago` : `in ${text}`;
}

/** A time to the millisecond in UTC, for the hover. */
export const exact = (at: string | number): string => {
  const ms = typeof at === "number" ? at : Date.parse(at);
  return Number.isNaN(ms) ? String(at) : new Date(ms).toISOString().replace("T", " ").replace("Z", " UTC");
};

/** `12:04:31.204` of a time, in the reader's own zone. */
export function clock(at: string): string {
  const time = new Date(at);
  const two = (part: number) => String(part).padStart(2, "0");
  const ms = String(time.getMilliseconds()).padStart(3, "0");
  return `${two(time.getHours())}:${two(time.getMinutes())}:${two(time.getSeconds())}.${ms}`;
}

/** `1 task`, `3 tasks`. */
export const counted = (count: number, noun: string, plural = `${noun}s`): string =>
  `${grouped(count)} ${count === 1 ? noun : plural}`;

/** `12,400`, without the work of `toLocaleString`. */
export const grouped = (value: number): string => String(value).replace(/\B(?=(\d{3})+$)/g, ",");

/** A number with as many digits as a reader needs. */
export function figure(value: number): string {
  const size = Math.abs(value);
  if (Number.isInteger(value)) return grouped(value);
  if (size >= 1_000) return grouped(Math.round(value));
  return String(Number(value.toPrecision(3)));
}

/** US dollars: cents where there are some, more digits for less. */
export function dollars(usd: number): string {
  if (usd === 0) return "$0";
  return usd < 0.01 ? `$${usd.toPrecision(2)}` : `$${usd.toFixed(2)}`;
}

/** Any JSON value in one line. */
export function inLine(value: unknown, length = 200): string {
  const text = typeof value === "string" ? value : (JSON.stringify(value) ?? "");
  return text.length > length ? `${text.slice(0, length)}…` : text;
}

/** The reason of a failure for people. */
export const reasonOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
