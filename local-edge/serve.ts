import { mkdirSync } from "node:fs";
import { setTimeout as pause } from "node:timers/promises";
import { upToDateBundleFile } from "./bundle.ts";
import { startCron } from "./cron.ts";
import { type Edge, startEdge } from "./edge.ts";
import { edgeFiles, stateDirectory } from "./paths.ts";
import { LOOPBACK, listenFromEnvironment } from "./port.ts";
import { RecentLog } from "./recent-log.ts";
import type { EdgeLog } from "./runtime/runtime-log.ts";
import { administratorToken } from "./token.ts";
import { startWatchdog, watchdogSeconds } from "./watchdog.ts";

/** How long to wait for a running tick after the end of the runtime, in milliseconds: no answer can come any more. */
const LAST_TICK_MS = 500;

export interface ServedEdge extends Edge {
  /** Where the administrator's token is kept. */
  readonly tokenPath: string;
  readonly stateDir: string;
}

/**
 * The edge as `npm start` runs it: built if need be, with settings from the environment (`GANGLION_LISTEN` or
 * `GANGLION_PORT`, `GANGLION_STATE_DIR`), its own token, and the cron on time.
 *
 * @param say - called with a sentence for people, about progress or a problem
 */
export async function serveEdge(say: (sentence: string) => void, log: (entry: EdgeLog) => void): Promise<ServedEdge> {
  const { host, port } = listenFromEnvironment();
  const limitSeconds = watchdogSeconds();
  const stateDir = stateDirectory();
  mkdirSync(stateDir, { recursive: true, mode: 0o700 });
  const { path: tokenPath, token, warning } = administratorToken(stateDir);
  if (warning !== undefined) say(warning);
  if (!host.startsWith("127."))
    say(
      `The edge listens on ${host} without TLS: whoever can read that network can read its tokens. Let it listen on ` +
        `${LOOPBACK} behind a proxy, unless that network encrypts.`,
    );
  const bundle = await upToDateBundleFile(() => say("Building the Worker: its sources are new."));
  const recent = new RecentLog();
  const noted = (entry: EdgeLog) => {
    recent.add(entry);
    log(entry);
  };
  const edge = await startEdge({ bundle, host, port, stateDir, adminToken: token, log: noted });
  const watchdog = startWatchdog({
    url: edge.url,
    limitMs: limitSeconds * 1_000,
    runtimePid: edge.runtimePid,
    directory: edgeFiles(stateDir).hangs,
    lines: () => recent.lines,
    log: noted,
  });
  const cron = startCron(edge.dispatchCron, (error) => log({ level: "error", message: `cron: ${String(error)}` }));
  return {
    ...edge,
    tokenPath,
    stateDir,
    stop: async () => {
      watchdog.stop();
      // A tick that hangs must not delay the stop: it ends with the runtime.
      const lastTick = cron.stop();
      await edge.stop();
      await Promise.race([lastTick, pause(LAST_TICK_MS, undefined, { ref: false })]);
    },
  };
}
