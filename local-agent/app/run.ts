import { createLog, type Logger } from "../base/log.ts";
import { ExpectedError } from "../base/service.ts";
import { stoppedWithin } from "../base/stop-within.ts";
import { readSettings } from "../config/settings.ts";
import { ServiceManager } from "../install/service-manager.ts";
import { Agent, type AgentStatus } from "./agent.ts";

const SAME_REQUEST_MS = 500;
const NOTIFY_MS = 1_000;

/**
 * The agent as a process. With an IPC channel it tells its parent `{type: "ready", host, sources, link}` once the
 * sources are up, `{type: "status", …}` with the same fields whenever one of them changes, and it ends when the parent
 * does: nobody else would know that it is there. Reads its settings again on SIGHUP. Ends with status 0 when asked to.
 *
 * @throws ExpectedError when it cannot start
 */
export async function run(config?: string): Promise<void> {
  const settings = readSettings(process.env, process.cwd(), config);
  const logger = createLog({ format: settings.log, level: settings.logLevel });
  const agent = new Agent({ ...settings, logger });

  const manager = await ServiceManager.from(process.env, { health: () => agent.health(), log: logger });
  agent.onFailure((error) => {
    // Whoever started it starts it again, and then the corrupted file is moved aside.
    logger.fatal({ err: error }, "the state is corrupted: the agent ends");
    process.exit(1);
  });
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
    // Whoever does not listen to it is not waited for.
    if (manager !== undefined) await stoppedWithin(NOTIFY_MS, manager.stopping());
    await agent.stop();
    if (process.connected) process.disconnect();
    process.exit(0);
  };
  for (const signal of ["SIGTERM", "SIGINT"] as const) process.on(signal, () => void stop(signal));
  // After `process.disconnect()` of our own this comes, too.
  process.on("disconnect", () => {
    if (!stopping) void stop("the parent process is gone");
  });
  // Until it has started it has nothing to reload; the signal's default would end it.
  let started: Promise<void> | undefined;
  let reloading = Promise.resolve();
  process.on("SIGHUP", () => {
    // One after the other, and the last one with what stands in the file then.
    reloading = reloading
      .then(() => started)
      .then(async () => {
        await manager?.reloading();
        await reload(agent, logger, config);
        await manager?.ready(statusLine(agent.status));
      });
  });

  const tell = (type: "ready" | "status") => {
    // A parent that ends at this moment is no error of ours.
    if (process.connected) process.send?.({ type, ...agent.status }, undefined, undefined, () => undefined);
  };
  started = agent.start();
  await started;
  tell("ready");
  agent.onChange(() => {
    tell("status");
    void manager?.status(statusLine(agent.status));
  });
  await manager?.ready(statusLine(agent.status));
}

/** For `systemctl status`: the link, and what is not as it should be. */
function statusLine({ link, sources }: AgentStatus): string {
  const failing = sources.filter(({ state }) => state === "failing").map(({ name, detail }) => `${name}: ${detail}`);
  const linked = link.detail === link.state ? link.state : `${link.state}: ${link.detail}`;
  return [`link ${linked}`, ...failing].join("; ");
}

/** What cannot be read, or does not fit, leaves everything as it is. */
async function reload(agent: Agent, logger: Logger, config: string | undefined): Promise<void> {
  try {
    const { taken, restart, failed } = await agent.reload(readSettings(process.env, process.cwd(), config));
    if (taken.length + restart.length + failed.length === 0) logger.info("SIGHUP: the settings are the same as before");
    if (taken.length > 0) logger.info({ settings: taken }, "SIGHUP: new settings are in force");
    if (restart.length > 0) logger.warn({ settings: restart }, "SIGHUP: these settings count after a restart");
    for (const { room, settings, reason } of failed)
      logger.error({ settings }, `SIGHUP: ${room} goes on with its old settings: ${reason}`);
  } catch (error) {
    if (error instanceof ExpectedError) logger.error(`SIGHUP: going on with the old settings. ${error.message}`);
    else logger.error({ err: error }, "SIGHUP: new settings could not be taken over");
  }
}
