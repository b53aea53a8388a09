import { Cron } from "croner";
import { checkedMs } from "../policy/duration.ts";

/** When a schedule is due: by a cron expression in a time zone, or again and again after a length of time. */
export interface TimesSettings {
  readonly cron?: string | undefined;
  readonly every?: string | undefined;
  readonly zone: string;
}

/**
 * The times of a schedule, in milliseconds since the epoch.
 *
 * A cron time whose clock skips that time is due at the first moment after the gap; one that the clock shows twice is due at
 * the first of the two. What has `*` or a step among its hours or minutes goes by the time that passes: it is due each hour,
 * and neither twice nor late because the clock was changed. `every` knows no clock at all, and counts from its anchor.
 */
export class ScheduleTimes {
  readonly #cron: Cron | undefined;
  readonly #everyMs: number;
  readonly #anchorMs: number;

  /** @param anchorMs - from which `every` counts; @throws Error that names the mistake in the expression */
  constructor({ cron, every, zone }: TimesSettings, anchorMs: number) {
    this.#cron =
      cron === undefined
        ? undefined
        : new Cron(cron, { timezone: zone, paused: true, mode: "5-or-6-parts", fixedTimeRule: "no-wildcard" });
    this.#everyMs = every === undefined ? 0 : checkedMs(every);
    this.#anchorMs = anchorMs;
  }

  /** The first time after `afterMs`; `undefined`: none comes any more. */
  next(afterMs: number): number | undefined {
    if (this.#cron !== undefined) return this.#cron.nextRun(new Date(startOfSecond(afterMs)))?.getTime();
    const passed = Math.floor((afterMs - this.#anchorMs) / this.#everyMs);
    return this.#anchorMs + Math.max(1, passed + 1) * this.#everyMs;
  }

  /** The newest times after `afterMs` and up to `throughMs`, `count` at most, the oldest first. */
  between(afterMs: number, throughMs: number, count: number): number[] {
    if (throughMs <= afterMs) return [];
    if (this.#cron !== undefined) {
      const before = new Date(startOfSecond(throughMs) + 1_000);
      const times = this.#cron.previousRuns(count, before).map((time) => time.getTime());
      return times.filter((time) => time > afterMs && time <= throughMs).reverse();
    }
    const last = Math.floor((throughMs - this.#anchorMs) / this.#everyMs);
    const first = Math.max(1, Math.floor((afterMs - this.#anchorMs) / this.#everyMs) + 1, last - count + 1);
    return Array.from(
      { length: Math.max(0, last - first + 1) },
      (_, place) => this.#anchorMs + (first + place) * this.#everyMs,
    );
  }
}

/** Cron times are whole seconds. */
const startOfSecond = (ms: number) => Math.floor(ms / 1_000) * 1_000;

/** @returns what is wrong with the times; `undefined`: nothing */
export function timesProblem({ cron, zone }: TimesSettings): { field: "cron" | "zone"; message: string } | undefined {
  try {
    new Intl.DateTimeFormat("en", { timeZone: zone });
  } catch {
    return { field: "zone", message: "there is no such time zone: give a name of the IANA's, such as Europe/Berlin" };
  }
  if (cron === undefined) return undefined;
  // The library takes a single time for a pattern, too.
  if (/^\s*\d{4}-/.test(cron)) return { field: "cron", message: NOT_CRON };
  try {
    if (new ScheduleTimes({ cron, zone }, 0).next(0) !== undefined) return undefined;
    return { field: "cron", message: "this time never comes: give a day that the calendar has" };
  } catch (error) {
    const why = error instanceof Error ? error.message.replace(/^\w+: /, "") : String(error);
    return { field: "cron", message: `${NOT_CRON} (${why.slice(0, 200)})` };
  }
}

const NOT_CRON =
  'give five fields (minute hour day month weekday) such as "0 3 * * *", or six with seconds before them';
