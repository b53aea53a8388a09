import { Cron } from "croner";
import { checkedMs } from "./duration.ts";
import type { Rule } from "./rule.ts";

type Window = NonNullable<Rule["mute"]>[number];

/** @returns the end of the mute window that holds `nowMs`, in milliseconds since the epoch; `undefined`: not muted */
export type Mute = (nowMs: number) => number | undefined;

/**
 * A window that never begins mutes nothing; see {@link neverBegins}. Searching a time of cron costs thousands of days at
 * the worst, so that the search is made once for each window and not for each signal.
 *
 * @throws Error that names the mistake in the cron expression or the time zone
 */
export function compileMute(window: Window): Mute {
  const begins = cronOf(window);
  if (neverBegins(window)) return () => undefined;
  const lastsMs = checkedMs(window.lasts);
  /** The stretch of time for which the last search holds: from a beginning of the window, or from a time before any, on. */
  let known = { fromMs: 0, beforeMs: 0, untilMs: undefined as number | undefined };
  return (nowMs) => {
    if (nowMs < known.fromMs || nowMs >= known.beforeMs) {
      // Windows begin on whole seconds, and a window that begins in the second of `nowMs` has begun.
      const second = Math.floor(nowMs / 1_000) * 1_000;
      const [began] = begins.previousRuns(1, new Date(second + 1_000));
      const next = begins.nextRun(new Date(second));
      known = {
        fromMs: began?.getTime() ?? second,
        beforeMs: next?.getTime() ?? Number.POSITIVE_INFINITY,
        untilMs: began === undefined ? undefined : began.getTime() + lastsMs,
      };
    }
    return known.untilMs !== undefined && nowMs < known.untilMs ? known.untilMs : undefined;
  };
}

/**
 * Whether no year has a time at which the window begins, as 30 February.
 *
 * @throws as {@link compileMute}
 */
export function neverBegins(window: Window): boolean {
  // The library checks the zone only when a time is computed.
  return cronOf(window).nextRun(new Date(0)) === null;
}

function cronOf({ from, zone }: Window): Cron {
  return new Cron(from, { timezone: zone, paused: true, mode: "5-part" });
}
