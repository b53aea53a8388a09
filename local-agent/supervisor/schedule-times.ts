import { Cron } from "croner";

export interface ScheduleProblem {
  readonly of: "cron" | "time_zone";
  readonly message: string;
}

/** What is wrong with a schedule; `undefined` for one that will come. */
export function scheduleProblem(cron: string, timeZone: string | undefined): ScheduleProblem | undefined {
  if (timeZone !== undefined) {
    try {
      new Intl.DateTimeFormat("en", { timeZone });
    } catch {
      return { of: "time_zone", message: "there is no such time zone: give a name such as Europe/Berlin" };
    }
  }
  try {
    // A one-off time is a pattern to the library, too; what is over when it is read is no schedule.
    if (/^\d{4}-/.test(cron.trim())) throw new Error("a time is no schedule");
    if (new Cron(cron, { paused: true }).nextRun() !== null) return undefined;
    return { of: "cron", message: "this time never comes" };
  } catch {
    return { of: "cron", message: 'give five fields: minute, hour, day, month, weekday, such as "0 9 * * 1"' };
  }
}

/**
 * Calls `due` at each of the schedule's times, until it is ended. Times that pass while nobody listens are left out,
 * as cron does.
 */
export function onSchedule(cron: string, timeZone: string | undefined, due: () => void): () => void {
  const job = new Cron(cron, timeZone === undefined ? {} : { timezone: timeZone }, due);
  return () => job.stop();
}

/** @returns milliseconds since the epoch, or `undefined` when it never comes again */
export function nextTimeMs(cron: string, timeZone: string | undefined): number | undefined {
  return new Cron(cron, { paused: true, ...(timeZone !== undefined && { timezone: timeZone }) }).nextRun()?.getTime();
}
