import { Agent } from "./agent.ts";
import { createLog } from "./log.ts";
import { ExpectedError } from "./service.ts";
import { readSettings } from "./settings.ts";

const SAME_REQUEST_MS = 500;

/**
 * The agent as a process. With an IPC channel it tells its parent `{type: "ready", host, sources, link}` once the
 * sources are up, `{type: "status", …}` with the same fields whenever one of them changes, and it ends when the parent
 * does: nobody else would know that it is there. Ends with status 0 when asked to, 1 when it cannot start.
 */
async function main(): Promise<void> {
  const settings = readSettings(process.env, process.cwd());
  const logger = createLog({ format: settings.log, level: settings.logLevel });
  const agent = new Agent({ ...settings, logger });

  let stopping = false;
  let askedMs = 0;
  const stop = async (why: string) => {
    if (stopping) {
      // A terminal and a parent may both pass on the same Ctrl-C.
      if (Date.now() - askedMs < SAME_REQUEST_MS) return;
      logger.warn(`${why} again: stopping at once; what is in the spool is safe`);
      process.exit(1);
    }
    stopping = true;
    askedMs = Date.now();
    logger.info(`${why}: stopping`);
    await agent.stop();
    if (process.connected) process.disconnect();
    process.exit(0);
  };
  for (const signal of ["SIGTERM", "SIGINT"] as const) process.on(signal, () => void stop(signal));
  // After `process.disconnect()` of our own this comes, too.
  process.on("disconnect", () => {
    if (!stopping) void stop("the parent process is gone");
  });

  const tell = (type: "ready" | "status") => {
    // A parent that ends at this moment is no error of ours.
    if (process.connected) process.send?.({ type, ...agent.status }, undefined, undefined, () => undefined);
  };
  await agent.start();
  tell("ready");
  agent.onChange(() => tell("status"));
}

main().catch((error: unknown) => {
  if (error instanceof ExpectedError) process.stderr.write(`${error.message}\n`);
  else console.error(error);
  process.exit(1);
});
