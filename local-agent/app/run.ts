import { createLog, type Logger } from "../base/log.ts";
import { hideSecrets } from "../base/process/hide-secrets.ts";
import { ExpectedError } from "../base/service.ts";
import { stoppedWithin } from "../base/stop-within.ts";
import { writtenNames } from "../config/setting-names.ts";
import { type AgentSettings, readSettings } from "../config/settings.ts";
import type { AgentStatus } from "../feature/feature.ts";
import { ServiceManager } from "../install/service-manager.ts";
import { Agent } from "./agent.ts";

const SAME_REQUEST_MS = 500;
const NOTIFY_MS = 1_000;

/**
 * Runs the agent as a process. Over an IPC channel it sends `{type: "ready", host, sources, link}` to its parent once
 * the sources have started, and `{type: "status", …}` with the same fields after each change. It ends with its parent,
 * which would otherwise leave it running unnoticed. SIGHUP reloads the settings. A requested stop ends with status 0.
 *
 * @param takeOver - replaces another installation that is linked under this host's name
 * @throws ExpectedError when the agent cannot start
 */
export async function run(config?: string, takeOver = false): Promise<void> {
  // First of all: commands that the agent runs must not find its token.
  const { environment, problem } = await hideSecrets();
  const settings = readSettings(environment, process.cwd(), config);
  const logger = createLog({ format: settings.log, level: settings.logLevel });
  if (problem !== undefined)
    logger.warn(
      { reason: problem },
      "commands of this user may be able to read this process's memory and environment, with the token in it",
    );
  const agent = new Agent({ ...settings, logger, takeOver });

  const manager = await ServiceManager.from(process.env, { health: () => agent.health(), log: logger });
  agent.onFailure((error) => {
    // The next start moves the corrupted file away and creates a new one.
    logger.fatal(
      { err: error },
      "the state database is corrupted: the agent exits, and begins a new one when restarted",
    );
    process.exit(1);
  });
  let stopping = false;
  let stopAskedMs = 0;
  const stop = async (why: string) => {
    if (stopping) {
      // A terminal and a parent process may both pass on the same Ctrl-C.
      if (Date.now() - stopAskedMs < SAME_REQUEST_MS) return;
      logger.warn(`${why} again: stopping at once; signals in the spool are kept`);
      process.exit(1);
    }
    stopping = true;
    stopAskedMs = Date.now();
    logger.info(`${why}: stopping`);
    // A service manager that does not read its socket must not delay the stop.
    if (manager !== undefined) await stoppedWithin(NOTIFY_MS, manager.stopping());
    await agent.stop();
    if (process.connected) process.disconnect();
    process.exit(0);
  };
  for (const signal of ["SIGTERM", "SIGINT"] as const) process.on(signal, () => void stop(signal));
  // Our own `process.disconnect()` raises this event, too.
  process.on("disconnect", () => {
    if (!stopping) void stop("the parent process is gone");
  });
  // The default action of SIGHUP would end the process. A reload waits until the agent has started.
  let started: Promise<void> | undefined;
  let reloading = Promise.resolve();
  let current = settings;
  process.on("SIGHUP", () => {
    // One reload after the other, each with the settings of its own time.
    reloading = reloading
      .then(() => started)
      .then(async () => {
        await manager?.reloading();
        current = await reload(agent, logger, current, () => readSettings(environment, process.cwd(), config));
        await manager?.ready(statusLine(agent.status));
      });
  });

  const send = (type: "ready" | "status") => {
    // The parent may end at this moment: an error of sending is ignored.
    if (process.connected) process.send?.({ type, ...agent.status }, undefined, undefined, () => undefined);
  };
  started = agent.start();
  await started;
  send("ready");
  agent.onChange(() => {
    send("status");
    void manager?.status(statusLine(agent.status));
  });
  await manager?.ready(statusLine(agent.status));
}

/** One line for `systemctl status`: the link, and the sources that fail. */
function statusLine({ link, sources }: AgentStatus): string {
  const failing = sources.filter(({ state }) => state === "failing").map(({ name, detail }) => `${name}: ${detail}`);
  const linked = link.detail === link.state ? link.state : `${link.state}: ${link.detail}`;
  return [`link ${linked}`, ...failing].join("; ");
}

/**
 * Settings that cannot be read or are invalid change nothing.
 *
 * @returns the settings of the next comparison
 */
async function reload(
  agent: Agent,
  logger: Logger,
  before: AgentSettings,
  read: () => AgentSettings,
): Promise<AgentSettings> {
  try {
    const after = read();
    const { applied, restart, failed } = await agent.reload(after);
    const written = (names: readonly string[]) => writtenNames(names, before, after);
    if (applied.length + restart.length + failed.length === 0) logger.info("SIGHUP: the settings have not changed");
    if (applied.length > 0) logger.info({ settings: written(applied) }, "SIGHUP: new settings were applied");
    if (restart.length > 0)
      logger.warn({ settings: written(restart) }, "SIGHUP: these settings take effect after a restart");
    for (const { feature, settings, reason } of failed)
      logger.error({ settings: written(settings) }, `SIGHUP: ${feature} keeps its old settings: ${reason}`);
    return after;
  } catch (error) {
    if (error instanceof ExpectedError) logger.error(`SIGHUP: keeping the old settings. ${error.message}`);
    else logger.error({ err: error }, "SIGHUP: the new settings could not be applied");
    return before;
  }
}
