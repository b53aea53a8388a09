import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { resolve } from "node:path";
import type { Duplex } from "node:stream";
import { cleanEnvironment } from "../base/process/clean-environment.ts";
import { RUN_VARIABLE } from "../base/process/leftovers.ts";
import type { AgentDefinition } from "./settings.ts";

/** Descriptor on which a supervised agent tells how it fares; see docs/supervisor.md. */
const HEARTBEAT_FD = 3;

/** What every agent of a host is told of where it is. */
export interface Surroundings {
  readonly url: string;
  readonly token: () => string;
  readonly ecosystem: string;
  readonly hostId: string;
  /** Relative paths in definitions are meant from here. */
  readonly directory: string;
}

export interface AgentStreams {
  readonly child: ChildProcess;
  readonly heartbeat: Duplex;
}

/**
 * Starts an agent as the leader of a process group of its own: standard input stays open for messages, both outputs
 * are for its log, and descriptor 3 is for heartbeats.
 *
 * @param run - the mark by which it is found again after the host agent was killed
 * @throws for a token that cannot be had
 */
export function spawnAgent(
  name: string,
  definition: AgentDefinition,
  { url, token, ecosystem, hostId, directory }: Surroundings,
  heartbeatMs: number,
  run: string,
): AgentStreams {
  const [file, ...args] = definition.command;
  const cwd = resolve(directory, definition.directory ?? ".");
  const secret = definition.token_file === undefined ? undefined : readToken(resolve(directory, definition.token_file));
  const given = secret ?? (definition.token === "own" ? token() : undefined);
  // `node` means ours: the machine's own may be too old for what we run, or not be there at all.
  const child = spawn(file === "node" ? process.execPath : file, args, {
    cwd,
    env: cleanEnvironment(process.env, {
      GANGLION_URL: url,
      GANGLION_ECOSYSTEM: ecosystem,
      GANGLION_HOST_ID: hostId,
      GANGLION_AGENT: name,
      GANGLION_HEARTBEAT_FD: String(HEARTBEAT_FD),
      // Three chances to be heard in time.
      GANGLION_HEARTBEAT_SECONDS: String(Math.round(heartbeatMs / 3) / 1000),
      ...(given !== undefined && { GANGLION_TOKEN: given }),
      ...definition.environment,
      [RUN_VARIABLE]: run,
    }),
    stdio: ["pipe", "pipe", "pipe", "pipe"],
    detached: true,
  });
  // It need not read what it is sent, and it may end while it is sent something.
  child.stdin?.on("error", () => undefined);
  const heartbeat = child.stdio[HEARTBEAT_FD] as Duplex;
  heartbeat.on("error", () => undefined);
  return { child, heartbeat };
}

/** What the kernel says, in words that name the fix. */
export function spawnProblem(error: unknown, { command: [file], directory }: AgentDefinition, from: string): string {
  const { code, message } = error as NodeJS.ErrnoException;
  const cwd = resolve(from, directory ?? ".");
  // The kernel says ENOENT for both.
  if (!existsSync(cwd)) return `the directory ${cwd} does not exist`;
  if (code === "ENOENT") return `there is no program ${file}`;
  if (code === "EACCES") return `${file} may not be executed`;
  return message;
}

function readToken(path: string): string {
  try {
    return readFileSync(path, "utf8").trim();
  } catch (error) {
    throw new Error(`its token file ${path} cannot be read (${(error as NodeJS.ErrnoException).code})`);
  }
}
