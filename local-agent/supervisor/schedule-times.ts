import { Cron } from "croner";

export interface ScheduleProblem {
  readonly of: "cron" | "time_zone";
  readonly message: string;
}

/** @returns why a schedule is not valid; `undefined` for a valid one */
export function scheduleProblem(cron: string, timeZone: string | undefined): ScheduleProblem | undefined {
  if (timeZone !== undefined) {
    try {
      new Intl.DateTimeFormat("en", { timeZone });
    } catch {
      return { of: "time_zone", message: "unknown time zone: give a name such as Europe/Berlin" };
    }
  }
  try {
    // The library also accepts a single time as a pattern; that is no schedule.
    if (/^\d{4}-/.test(cron.trim())) throw new Error("a single time is no schedule");
    if (new Cron(cron, { paused: true }).nextRun() !== null) return undefined;
    return { of: "cron", message: "this time never comes" };
  } catch {
    return { of: "cron", message: 'give five fields: minute, hour, day, month, weekday, such as "0 9 * * 1"' };
  }
}

/**
 * Calls `due` at each of the schedule's times, until the returned function is called. Like cron, it skips times that
 * passed while the program was not running.
 */
export function onSchedule(cron: string, timeZone: string | undefined, due: () => void): () => void {
  const job = new Cron(cron, timeZone === undefined ? {} : { timezone: timeZone }, due);
  return () => job.stop();
}

/** @returns the next time in milliseconds since the epoch, or `undefined` when there is none */
export function nextTimeMs(cron: string, timeZone: string | undefined): number | undefined {
  return new Cron(cron, { paused: true, ...(timeZone !== undefined && { timezone: timeZone }) }).nextRun()?.getTime();
}
