import { Cron } from "croner";
import { checkedMs } from "./duration.ts";
import type { Rule } from "./rule.ts";

type Window = NonNullable<Rule["mute"]>[number];

/** @returns the end of the mute window that holds `nowMs`, in milliseconds since the epoch; `undefined`: not muted */
export type Mute = (nowMs: number) => number | undefined;

/** @throws Error that names the mistake in the cron expression or the time zone */
export function compileMute({ from, lasts, zone }: Window): Mute {
  const begins = new Cron(from, { timezone: zone, paused: true, mode: "5-part" });
  // The library checks the zone only when a time is computed.
  begins.nextRun(new Date(0));
  const lastsMs = checkedMs(lasts);
  return (nowMs) => {
    // Windows begin on whole seconds, and a window that begins in the second of `nowMs` has begun.
    const [began] = begins.previousRuns(1, new Date((Math.floor(nowMs / 1_000) + 1) * 1_000));
    const untilMs = began === undefined ? undefined : began.getTime() + lastsMs;
    return untilMs !== undefined && nowMs < untilMs ? untilMs : undefined;
  };
}
