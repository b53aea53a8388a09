const MINUTE_MS = 60_000;

export interface Cron {
  /** Starts no further tick; resolves when a running one has ended. */
  stop(): Promise<void>;
}

/**
 * Fires on every full minute, as Cloudflare's cron trigger `* * * * *` does; on one machine nothing else does.
 * Ticks never overlap: minutes that pass while one runs, or while the machine sleeps, are left out, because a monitor
 * that looks at the present has no use for the minutes it missed.
 *
 * @param fire - called with the minute; an error goes to `failed`, and the next minute fires all the same
 */
export function startCron(fire: (scheduledTime: Date) => Promise<void>, failed: (error: unknown) => void): Cron {
  let timer: NodeJS.Timeout | undefined;
  let running: Promise<void> = Promise.resolve();
  let stopped = false;

  const plan = (): void => {
    if (stopped) return;
    const minute = (Math.floor(Date.now() / MINUTE_MS) + 1) * MINUTE_MS;
    timer = setTimeout(() => wake(minute), minute - Date.now());
  };

  const wake = (minute: number): void => {
    // Timers run on a clock that knows nothing of corrections to the time of day: this one may come early.
    if (Date.now() < minute) {
      plan();
      return;
    }
    running = fire(new Date(Math.floor(Date.now() / MINUTE_MS) * MINUTE_MS))
      .catch(failed)
      .finally(plan);
  };

  plan();
  return {
    stop: async () => {
      stopped = true;
      clearTimeout(timer);
      await running;
    },
  };
}
