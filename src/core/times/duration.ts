/** What was read, or the reason why the text cannot be read. */
export type Reading = { readonly ok: true; readonly ms: number } | { readonly ok: false; readonly why: string };

const UNITS_MS = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000 } as const;
type Unit = keyof typeof UNITS_MS;

const DURATION = /^(?:\d{1,9}(?:ms|s|m|h|d|w))+$/;

/** A time plus a duration of this length is still a whole number that is exact. */
const LONGEST_MS = 100_000 * 366 * UNITS_MS.d;

/** The forms of a length of time, for help and errors. */
export const DURATION_FORMS = "90s, 10m, 1h30m, 7d or 1w";

/** @returns milliseconds, or `undefined` where the text is no length of time */
export function durationMs(text: string): number | undefined {
  if (!DURATION.test(text)) return undefined;
  let ms = 0;
  for (const [, amount, unit] of text.matchAll(/(\d+)(ms|s|m|h|d|w)/g)) ms += Number(amount) * UNITS_MS[unit as Unit];
  return ms;
}

/**
 * Reads a length of time as people write it: `90s`, `10m`, `1h30m`, `7d`, `1w`, with or without spaces between the parts.
 *
 * @param bareUnit - what a number without a unit counts, where an option took such numbers before it took units
 */
export function readDuration(text: string, bareUnit?: "ms" | "s"): Reading {
  const joined = text.trim().replaceAll(/\s+/g, "");
  if (bareUnit !== undefined && /^\d{1,15}$/.test(joined)) return { ok: true, ms: Number(joined) * UNITS_MS[bareUnit] };
  if (joined === "0") return { ok: true, ms: 0 };
  const ms = durationMs(joined);
  if (ms === undefined) return { ok: false, why: whyNoDuration(joined) };
  return ms <= LONGEST_MS ? { ok: true, ms } : { ok: false, why: "This is longer than 100,000 years." };
}

/** Words that people write for a unit, by the unit that stands for them. */
const WORDS: Readonly<Record<Unit, RegExp>> = {
  ms: /^(msecs?|millis|milliseconds?)$/i,
  s: /^(secs?|seconds?|S)$/,
  m: /^(mins?|minutes?)$/i,
  h: /^(hrs?|hours?|H)$/,
  d: /^(days?|D)$/,
  w: /^(wks?|weeks?|W)$/,
};

function whyNoDuration(text: string): string {
  const forms = `Write a length of time such as ${DURATION_FORMS}.`;
  if (text === "") return `Nothing is given. ${forms}`;
  if (text.startsWith("-")) return `A length of time has no sign. ${forms}`;
  if (/^\d+$/.test(text)) {
    return text.length > 9
      ? `${text} is too large. ${forms}`
      : `${text} has no unit: write ${text}s for seconds. ${forms}`;
  }
  if (/\d[.,]\d/.test(text)) return `Write whole numbers, such as 1h30m for an hour and a half. ${forms}`;
  if (/\d{10}/.test(text)) return `A number has nine digits at most. ${forms}`;
  const unknown = [...text.matchAll(/\d+([^\d]*)/g)].find(([, unit = ""]) => !Object.hasOwn(UNITS_MS, unit))?.[1];
  if (unknown === undefined) return forms;
  if (unknown === "") return `A number at the end has no unit. ${forms}`;
  const [meant] = Object.entries(WORDS).find(([, word]) => word.test(unknown)) ?? [];
  return `"${unknown}" is no unit: use ${meant ?? "ms, s, m (minutes), h, d or w"}. ${forms}`;
}
