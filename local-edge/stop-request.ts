/**
 * One press of Ctrl-C can arrive several times: the terminal signals the whole foreground group, and npm and
 * scripts/bootstrap.mjs pass on what they get. Signals this close to the first one, in milliseconds, are the same press.
 */
const SAME_PRESS_MS = 1_000;

/**
 * Calls `stop` once on SIGINT, SIGTERM or SIGHUP, or when the process that started this one, and keeps a channel open
 * to it, is gone. A second press cuts a slow stop short.
 */
export function onStopRequest(stop: () => Promise<void>): void {
  let firstAt: number | undefined;
  const request = (signal: NodeJS.Signals): void => {
    if (firstAt === undefined) {
      firstAt = performance.now();
      void stop().catch((error: unknown) => {
        console.error(error);
        process.exit(1);
      });
    } else if (performance.now() - firstAt > SAME_PRESS_MS) {
      process.exit(signal === "SIGINT" ? 130 : 143);
    }
  };
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, request);
  if (process.channel) {
    process.channel.unref();
    process.once("disconnect", () => request("SIGTERM"));
  }
}
