import { mkdirSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { convertV4MiniflareOptions, Miniflare, MiniflareCoreError, NoOpLog } from "miniflare";
import type { Bundle } from "./bundle.ts";
import { removeEmptyObjects } from "./empty-objects.ts";
import { type EdgeLock, lockEdge } from "./lock.ts";
import { killOrphan, runningRuntime } from "./orphans.ts";
import { edgeFiles, PROJECT_ROOT } from "./paths.ts";
import { ANY, claimPort, LOOPBACK, portTaken, reachedAt } from "./port.ts";
import { runtimeFlags } from "./runtime-flags.ts";

/** Output of the runtime or the Worker: a line of a `console` call, or an uncaught error. */
export interface EdgeLog {
  readonly level: "debug" | "log" | "info" | "warn" | "error";
  readonly message: string;
}

export interface EdgeOptions {
  readonly bundle: Bundle;
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

const WORKER = "ganglion";
/** State lies under names that hold this one: another name would start empty. */
const WORKERD = (createRequire(import.meta.url)("workerd") as { default: string }).default;

/**
 * Compression keeps 310 KB for each socket, and what it saves, bytes on the wire, costs nothing on a machine or in its
 * network.
 */
const MACHINE_FLAGS = ["no_web_socket_compression"];

/**
 * Runs the Worker on this machine, on the runtime that Cloudflare runs it on. Every option of Miniflare stands in this
 * file alone: its interface is a beta.
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
    configureRuntime(files.runtimePid);
    const miniflare = await startRuntime(
      withoutSignalHandlers(
        () =>
          new Miniflare(
            convertV4MiniflareOptions({
              ...bundle.options,
              name: WORKER,
              rootPath: PROJECT_ROOT,
              modules: bundle.modules.map((module) => ({ ...module, path: join(PROJECT_ROOT, "dist", module.path) })),
              modulesRoot: join(PROJECT_ROOT, "dist"),
              compatibilityFlags: [...flagsOf(bundle.options), ...MACHINE_FLAGS],
              bindings: {
                ...(bundle.options.bindings as Record<string, string>),
                ADMIN_TOKEN: adminToken,
                // On one machine nobody pays for an object that is awake.
                STREAM_KEEPALIVE_SECONDS: process.env.GANGLION_STREAM_KEEPALIVE_SECONDS ?? "25",
                // On one machine webhooks mostly go to services of this machine and of its network. Set it to false
                // where authors of rules must not reach those.
                WEBHOOKS_ALLOW_PRIVATE: process.env.GANGLION_WEBHOOKS_ALLOW_PRIVATE ?? "true",
                ...(process.env.GANGLION_RETENTION_DAYS ? { RETENTION_DAYS: process.env.GANGLION_RETENTION_DAYS } : {}),
                // Nothing is billed on one machine, so nothing waits to be cheaper.
                PROFILE: process.env.GANGLION_PROFILE || "local",
                ...(process.env.GANGLION_LOG_MAX_GB ? { LOG_MAX_GB: process.env.GANGLION_LOG_MAX_GB } : {}),
                ...(process.env.GANGLION_HEAP_MB ? { HEAP_MB: process.env.GANGLION_HEAP_MB } : {}),
                ...optionalVariables(process.env),
                ...(process.env.GANGLION_LINK_RELAY_LINKS
                  ? { LINK_RELAY_LINKS: process.env.GANGLION_LINK_RELAY_LINKS }
                  : {}),
                // Pages of the web must not reach this edge by a name of theirs that resolves to 127.0.0.1.
                ALLOWED_HOSTS: allowedHosts(host),
                // Tests check here what Cloudflare would refuse; see src/durable-objects/shell/platform-limits.ts.
                ...(process.env.GANGLION_PLATFORM_LIMITS
                  ? { PLATFORM_LIMITS: process.env.GANGLION_PLATFORM_LIMITS }
                  : {}),
                CORS_ORIGINS: process.env.GANGLION_CORS_ORIGINS ?? "",
              },
              // No look-up of where this machine is: nothing here needs it, and start must work without a network.
              cf: false,
              telemetry: { enabled: false },
              resourcePersistencePath: files.storage,
              // Requests go straight to the Worker. Miniflare's own entry, which dispatchCron uses, stands in front of it
              // with a second Worker and costs half of the throughput: it gets any free port, which is not announced.
              host: LOOPBACK,
              port: 0,
              unsafeDirectSockets: [{ host, port: publicPort }],
              log: new NoOpLog(),
              logRequests: false,
              handleStructuredLogs: ({ level, message }) => log({ level: knownLevel(level), message }),
            }),
          ),
      ),
      publicPort,
      host,
    );
    const kill = () => killOrphan(files.runtimePid, WORKERD);
    const runtimePid = () => runningRuntime(files.runtimePid, WORKERD);
    return running({ miniflare, lock, kill, runtimePid, log }, `http://${reachedAt(host)}:${publicPort}`);
  } catch (error) {
    lock.release();
    throw error;
  }
}

interface Running {
  readonly miniflare: Miniflare;
  readonly lock: EdgeLock;
  /** Ends the runtime without Miniflare. */
  readonly kill: () => Promise<unknown>;
  readonly runtimePid: () => number | undefined;
  readonly log: (entry: EdgeLog) => void;
}

/** How long Miniflare may take to end the runtime, in milliseconds. */
const DISPOSE_MS = 4_000;

function running({ miniflare, lock, kill, runtimePid, log }: Running, url: string): Edge {
  lock.announce(url);
  let stopping: Promise<void> | undefined;
  return {
    url,
    runtimePid,
    announceStop: () => lock.announceStop(),
    dispatchCron: async (scheduledTime) => {
      const worker = await miniflare.getWorker();
      const { outcome } = await worker.scheduled({ cron: "* * * * *", scheduledTime });
      if (outcome !== "ok") throw new Error(`the scheduled handler ended with "${outcome}"`);
    },
    // The runtime is killed, not asked to end: everything that it confirmed is on the disk, and the rest was not promised.
    stop: () => {
      lock.announceStop();
      stopping ??= end(miniflare.dispose(), kill, log).finally(() => lock.release());
      return stopping;
    },
  };
}

async function end(disposed: Promise<void>, kill: Running["kill"], log: Running["log"]): Promise<void> {
  if (await Promise.race([disposed.then(() => true), pause(DISPOSE_MS, false, { ref: false })])) return;
  log({ level: "warn", message: `the runtime did not end within ${DISPOSE_MS / 1_000} s and is killed` });
  await kill();
}

/** Compatibility flags of wrangler.toml. */
function flagsOf({ compatibilityFlags }: Readonly<Record<string, unknown>>): readonly string[] {
  return Array.isArray(compatibilityFlags) ? compatibilityFlags.map(String) : [];
}

/** Who listens on one address means to be called by it. By which names all addresses are called is not known here. */
function allowedHosts(host: string): string {
  const named = process.env.GANGLION_ALLOWED_HOSTS ?? "";
  return host === LOOPBACK || host === ANY ? named : `${named},${host}`;
}

/** Miniflare reads these from the environment, each time it starts the runtime. */
function configureRuntime(pidFile: string): void {
  process.env.MINIFLARE_WORKERD_PATH = join(import.meta.dirname, "workerd-wrapper.sh");
  process.env.GANGLION_WORKERD = WORKERD;
  process.env.GANGLION_WORKERD_PID_FILE = pidFile;
  process.env.MINIFLARE_WORKERD_V8_FLAGS = runtimeFlags(process.env.MINIFLARE_WORKERD_V8_FLAGS);
}

/**
 * Miniflare ends the process on SIGINT and SIGTERM, in the middle of whatever it does. The process that
 * started the edge decides how to stop: the agent has to drain first.
 */
function withoutSignalHandlers<T>(construct: () => T): T {
  const events = ["SIGINT", "SIGTERM", "SIGHUP", "message"] as const;
  const before = events.map((event) => process.listeners(event as "SIGINT"));
  const constructed = construct();
  for (const [index, event] of events.entries()) {
    for (const listener of process.listeners(event as "SIGINT")) {
      if (!before[index]?.includes(listener)) process.removeListener(event, listener);
    }
  }
  return constructed;
}

async function startRuntime(miniflare: Miniflare, port: number, host: string): Promise<Miniflare> {
  try {
    await miniflare.ready;
    return miniflare;
  } catch (error) {
    await miniflare.dispose().catch(() => {}); // the runtime never ran; the first error names the cause
    if (error instanceof MiniflareCoreError && error.code === "ERR_ADDRESS_IN_USE") throw portTaken(port, host);
    throw error;
  }
}

function knownLevel(level: string): EdgeLog["level"] {
  return level === "debug" || level === "info" || level === "warn" || level === "error" ? level : "log";
}

/** Variables that this machine need not set, such as how much one token may have; see docs/deploy.md. */
function optionalVariables(environment: NodeJS.ProcessEnv): Record<string, string> {
  const names = [
    "QUOTA_HOSTS",
    "QUOTA_LINKS",
    "QUOTA_QUEUES",
    "QUOTA_ECOSYSTEMS",
    "QUOTA_DEAD_LETTERS",
    "QUOTA_LOG_MB",
    "METRICS",
    "SESSION_CONTENT",
    "SESSION_WAITING_SECONDS",
    "SESSION_FROZEN_SECONDS",
    "SESSION_TOOL_SECONDS",
  ];
  return Object.fromEntries(
    names.flatMap((name) => {
      const text = environment[`GANGLION_${name}`];
      return text ? [[name, text]] : [];
    }),
  );
}
