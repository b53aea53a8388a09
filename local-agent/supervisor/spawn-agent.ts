import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { resolve } from "node:path";
import type { Duplex } from "node:stream";
import { cleanEnvironment } from "../base/process/clean-environment.ts";
import { RUN_VARIABLE } from "../base/process/leftovers.ts";
import type { AgentDefinition } from "./settings.ts";

/** Descriptor on which a supervised agent writes heartbeats; see docs/supervisor.md. */
const HEARTBEAT_FD = 3;

/** The environment of every agent of a host. */
export interface AgentEnvironment {
  readonly url: string;
  readonly token: () => string;
  readonly ecosystem: string;
  readonly hostId: string;
  /** Base of relative paths in definitions. */
  readonly directory: string;
}

export interface AgentStreams {
  readonly child: ChildProcess;
  readonly heartbeat: Duplex;
}

/**
 * Starts an agent as the leader of its own process group: standard input stays open for messages, standard output and
 * standard error go to the agent's log, and descriptor 3 is for heartbeats.
 *
 * @param run - the mark by which the process is found after the host agent was killed
 * @throws Error for a token that cannot be read
 */
export function spawnAgent(
  name: string,
  definition: AgentDefinition,
  { url, token, ecosystem, hostId, directory }: AgentEnvironment,
  heartbeatMs: number,
  run: string,
): AgentStreams {
  const [file, ...args] = definition.command;
  const cwd = resolve(directory, definition.directory ?? ".");
  const secret = definition.token_file === undefined ? undefined : readToken(resolve(directory, definition.token_file));
  const given = secret ?? (definition.token === "own" ? token() : undefined);
  // `node` means the Node that runs this program: the machine's own may be too old, or missing.
  const child = spawn(file === "node" ? process.execPath : file, args, {
    cwd,
    env: cleanEnvironment(process.env, {
      GANGLION_URL: url,
      GANGLION_ECOSYSTEM: ecosystem,
      GANGLION_HOST_ID: hostId,
      GANGLION_AGENT: name,
      GANGLION_HEARTBEAT_FD: String(HEARTBEAT_FD),
      // Three heartbeats within the allowed silence: one or two may be late.
      GANGLION_HEARTBEAT_SECONDS: String(Math.round(heartbeatMs / 3) / 1000),
      ...(given !== undefined && { GANGLION_TOKEN: given }),
      ...definition.environment,
      [RUN_VARIABLE]: run,
    }),
    stdio: ["pipe", "pipe", "pipe", "pipe"],
    detached: true,
  });
  // The agent need not read its standard input, and may end during a write.
  child.stdin?.on("error", () => undefined);
  const heartbeat = child.stdio[HEARTBEAT_FD] as Duplex;
  heartbeat.on("error", () => undefined);
  return { child, heartbeat };
}

/** The kernel's error, in words that name the fix. */
export function spawnProblem(error: unknown, { command: [file], directory }: AgentDefinition, from: string): string {
  const { code, message } = error as NodeJS.ErrnoException;
  const cwd = resolve(from, directory ?? ".");
  // The kernel returns ENOENT for a missing directory and for a missing program.
  if (!existsSync(cwd)) return `the directory ${cwd} does not exist`;
  if (code === "ENOENT") return `there is no program ${file}`;
  if (code === "EACCES") return `${file} may not be executed`;
  return message;
}

function readToken(path: string): string {
  try {
    return readFileSync(path, "utf8").trim();
  } catch (error) {
    throw new Error(`the token file ${path} cannot be read (${(error as NodeJS.ErrnoException).code})`);
  }
}
