import { mkdirSync } from "node:fs";
import { createRequire } from "node:module";
import { setTimeout as pause } from "node:timers/promises";
import type { BundleFile } from "./bundle.ts";
import { removeEmptyObjects } from "./empty-objects.ts";
import { type EdgeLock, lockEdge } from "./lock.ts";
import { killOrphan, runningRuntime } from "./orphans.ts";
import { edgeFiles } from "./paths.ts";
import { claimPort, LOOPBACK, portTaken, reachedAt } from "./port.ts";
import { runtimeConfiguration } from "./runtime/configuration.ts";
import { AddressInUse, Runtime, type RuntimeOptions } from "./runtime/runtime.ts";
import { runtimeFlags } from "./runtime/runtime-flags.ts";
import type { EdgeLog } from "./runtime/runtime-log.ts";
import { machineVariables } from "./runtime/settings.ts";

export interface EdgeOptions {
  readonly bundle: BundleFile;
  /** Address to listen on; default: 127.0.0.1. */
  readonly host?: string;
  /** 0: any free one. */
  readonly port: number;
  /** Created, for its owner alone, if it is not there. */
  readonly stateDir: string;
  readonly adminToken: string;
  readonly log: (entry: EdgeLog) => void;
}

export interface Edge {
  /** Without a slash at the end. */
  readonly url: string;
  /** Runs the Worker's scheduled handler once. Rejects when the handler does. */
  dispatchCron(scheduledTime: Date): Promise<void>;
  /** Process id of the runtime; `undefined` while it starts again. */
  runtimePid(): number | undefined;
  /** Says that a stop is near: an edge that is started meanwhile waits for it. */
  announceStop(): void;
  /** Idempotent; the state directory is free for the next edge when it resolves. */
  stop(): Promise<void>;
}

const WORKERD = (createRequire(import.meta.url)("workerd") as { default: string }).default;

/**
 * Runs the Worker on this machine, on the runtime that Cloudflare runs it on.
 *
 * @throws an error that says what to do when the port is taken, or another edge runs on this state directory
 */
export async function startEdge(options: EdgeOptions): Promise<Edge> {
  const { bundle, host = LOOPBACK, port, stateDir, adminToken, log } = options;
  mkdirSync(stateDir, { recursive: true, mode: 0o700 });
  const lock = await lockEdge(stateDir);
  try {
    const files = edgeFiles(stateDir);
    const orphan = await killOrphan(files.runtimePid, WORKERD);
    if (orphan !== undefined)
      log({ level: "warn", message: `killed the runtime that an earlier edge left running (process ${orphan})` });
    removeEmptyObjects(files.storage);
    const publicPort = await claimPort(port, host);
    const configFile = await runtimeConfiguration(files.runtime, bundle, {
      bindings: machineVariables(adminToken, host),
      v8Flags: runtimeFlags(process.env.MINIFLARE_WORKERD_V8_FLAGS),
    });
    const runtime = await startRuntime({
      workerd: WORKERD,
      configFile,
      host,
      port: publicPort,
      storage: files.storage,
      pidFile: files.runtimePid,
      log,
    });
    const kill = () => killOrphan(files.runtimePid, WORKERD);
    const runtimePid = () => runningRuntime(files.runtimePid, WORKERD);
    return running({ runtime, lock, kill, runtimePid, log }, `http://${reachedAt(host)}:${publicPort}`);
  } catch (error) {
    lock.release();
    throw error;
  }
}

interface Running {
  readonly runtime: Runtime;
  readonly lock: EdgeLock;
  /** Ends whatever runtime has left its process id. */
  readonly kill: () => Promise<unknown>;
  readonly runtimePid: () => number | undefined;
  readonly log: (entry: EdgeLog) => void;
}

/** How long the runtime may take to end, in milliseconds. */
const STOP_MS = 4_000;

function running({ runtime, lock, kill, runtimePid, log }: Running, url: string): Edge {
  lock.announce(url);
  let stopping: Promise<void> | undefined;
  return {
    url,
    runtimePid,
    announceStop: () => lock.announceStop(),
    dispatchCron: async (scheduledTime) => {
      const outcome = await runtime.triggerCron("* * * * *", scheduledTime.getTime());
      if (outcome !== "ok") throw new Error(`the scheduled handler ended with "${outcome}"`);
    },
    stop: () => {
      lock.announceStop();
      stopping ??= end(runtime.stop(), kill, log).finally(() => lock.release());
      return stopping;
    },
  };
}

async function end(stopped: Promise<void>, kill: Running["kill"], log: Running["log"]): Promise<void> {
  if (await Promise.race([stopped.then(() => true), pause(STOP_MS, false, { ref: false })])) return;
  log({ level: "warn", message: `the runtime did not end within ${STOP_MS / 1_000} s and is killed` });
  await kill();
}

async function startRuntime(options: RuntimeOptions): Promise<Runtime> {
  try {
    return await Runtime.start(options);
  } catch (error) {
    throw error instanceof AddressInUse ? portTaken(options.port, options.host) : error;
  }
}
