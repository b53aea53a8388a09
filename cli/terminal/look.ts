import { parseTimestamp } from "../../src/core/signals/timestamp.ts";
import { clockTime, timeInWords } from "../../src/core/times/in-words.ts";
import { localZone } from "./clock.ts";
import { wantsColour } from "./colour.ts";

/** How results are shown: by where they go, and by `--wide`. */
export interface Look {
  /** Columns of the terminal; without end for files, pipes and `--wide`. */
  readonly width: number;
  readonly colour: boolean;
  /** RFC 3339 for files and pipes; `clock` where the screen is written again only when something has changed. */
  readonly times: "rfc3339" | "relative" | "clock";
}

let wide = false;
let isWatched = false;

/** @param given - from the options of the command that runs */
export function setLook(given: { readonly wide: boolean; readonly watched: boolean }): void {
  wide = given.wide;
  isWatched = given.watched;
}

export function currentLook(): Look {
  const { isTTY = false, columns } = process.stdout;
  return {
    // Some terminals report no width, or 0.
    width: isTTY && !wide ? columns || 80 : Number.POSITIVE_INFINITY,
    colour: wantsColour(isTTY, process.env),
    times: !isTTY ? "rfc3339" : isWatched ? "clock" : "relative",
  };
}

/** A time for a person at a terminal, such as `5m ago`, and as it is for everything else. */
export const at = <Time extends string | null | undefined>(time: Time): string | Time =>
  shown(time, currentLook().times);

/** A time inside a sentence, such as `until 14:00:05`. */
export function clock<Time extends string | null | undefined>(time: Time): string | Time {
  return shown(time, currentLook().times === "rfc3339" ? "rfc3339" : "clock");
}

function shown<Time extends string | null | undefined>(time: Time, times: Look["times"]): string | Time {
  const ms = times === "rfc3339" ? undefined : parseTimestamp(time);
  if (ms === undefined) return time;
  return (times === "clock" ? clockTime : timeInWords)(ms, Date.now(), localZone());
}

const RFC3339 = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;

/** A value of a document: where it is a time, as {@link at} shows it. */
export const shownValue = (value: unknown): unknown =>
  typeof value === "string" && RFC3339.test(value) ? at(value) : value;
