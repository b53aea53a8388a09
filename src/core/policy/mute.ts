import { Cron } from "croner";
import { checkedMs } from "./duration.ts";
import type { Rule } from "./rule.ts";

type Window = NonNullable<Rule["mute"]>[number];

/** @returns until when it is muted at a time, in milliseconds since the epoch, or `undefined` */
export type Mute = (nowMs: number) => number | undefined;

/** @throws Error that says what is wrong with the cron expression or the time zone */
export function compileMute({ from, lasts, zone }: Window): Mute {
  const begins = new Cron(from, { timezone: zone, paused: true, mode: "5-part" });
  // It looks at the zone only when it is asked for a time.
  begins.nextRun(new Date(0));
  const lastsMs = checkedMs(lasts);
  return (nowMs) => {
    // Runs fall on whole seconds, and the one at the second of `nowMs` itself has begun.
    const [began] = begins.previousRuns(1, new Date((Math.floor(nowMs / 1_000) + 1) * 1_000));
    const untilMs = began === undefined ? undefined : began.getTime() + lastsMs;
    return untilMs !== undefined && nowMs < untilMs ? untilMs : undefined;
  };
}
