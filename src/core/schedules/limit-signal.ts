import { formatTimestamp } from "../signals/timestamp.ts";
import type { LimitChange } from "./limits.ts";
import { kindOf, type ScheduleSettings } from "./settings.ts";
import type { LimitName } from "./state.ts";

const NAMES: Readonly<Record<LimitName, string>> = {
  late_start: "Q_SCHEDULE_LATE_START",
  late_finish: "Q_SCHEDULE_LATE_FINISH",
  too_fast: "Q_SCHEDULE_TOO_FAST",
  too_often: "Q_SCHEDULE_TOO_OFTEN",
};

/** Source of all signals about schedules, and of those that schedules emit. */
export const SCHEDULES_SOURCE = "ganglion/schedules";

/** A signal that tells of a limit: `state` is `raised` or `resolved`. */
export function limitSignal(name: string, settings: ScheduleSettings, { limit, state, broken }: LimitChange) {
  return {
    signal: NAMES[limit],
    source: SCHEDULES_SOURCE,
    facts: {
      schedule: name,
      state,
      run: broken.run,
      ...(settings.task === undefined ? {} : { queue: settings.task.queue, recipient: settings.task.recipient }),
      ...(limit === "too_often"
        ? { runs: broken.value, limit_runs: broken.limit }
        : { value_ms: broken.value, limit_ms: broken.limit }),
      since: formatTimestamp(broken.sinceMs),
      text: limitText(name, limit, broken, kindOf(settings) === "outside"),
    },
    ...(state === "resolved" && broken.signal !== undefined ? { cause: broken.signal } : {}),
  };
}

/** What is wrong, in a sentence. */
export function limitText(
  name: string,
  limit: LimitName,
  { run, value, limit: allowed }: { run: string | null; value: number; limit: number },
  outside: boolean,
): string {
  switch (limit) {
    case "late_start":
      if (run === null) return `nothing was heard of ${name} within ${length(allowed)} of its time`;
      return outside ? `${name} began late` : `no worker took ${run} within ${length(allowed)} of its time`;
    case "late_finish":
      return `${run} is not over ${length(allowed)} after its time`;
    case "too_fast":
      return `${run} was done after ${length(value)}; less than ${length(allowed)} is suspicious`;
    case "too_often":
      return `${name} ran ${value} times; ${allowed} are allowed in this time`;
  }
}

/** A length of time for people. */
function length(ms: number): string {
  if (ms < 1_000) return `${Math.round(ms)} ms`;
  const units: [string, number][] = [
    ["d", 86_400_000],
    ["h", 3_600_000],
    ["m", 60_000],
    ["s", 1_000],
  ];
  let rest = Math.floor(ms / 1_000) * 1_000;
  const parts = units.flatMap(([unit, size]) => {
    const count = Math.floor(rest / size);
    rest -= count * size;
    return count === 0 ? [] : [`${count}${unit}`];
  });
  return parts.slice(0, 2).join(" ");
}
