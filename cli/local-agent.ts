import { existsSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { SERVICE_STATE, userState } from "../local-agent/base/locations.ts";
import { AgentUnreachable, askAgent, CommandFailed } from "../local-agent/commands/ask-agent.ts";
import { SOCKET_NAME } from "../local-agent/commands/socket-path.ts";
import { Failure } from "./failure.ts";

type Environment = Readonly<Record<string, string | undefined>>;

/** The state directory of the agent that works on this machine; `undefined` where none has left its socket. */
export function localAgent(environment: Environment = process.env): string | undefined {
  const { GANGLION_STATE_DIR: given } = environment;
  const candidates = given
    ? [given]
    : [".ganglion", fileURLToPath(new URL("../.ganglion", import.meta.url)), userState(environment), SERVICE_STATE];
  return candidates.find((directory) => existsSync(join(directory, SOCKET_NAME)));
}

/**
 * Has the agent of this machine carry out a command.
 *
 * @throws Failure in words for people
 */
export async function askLocalAgent(
  stateDir: string | undefined,
  type: string,
  payload: unknown,
  timeoutMs: number,
): Promise<unknown> {
  if (stateDir === undefined) {
    throw new Failure(
      "no agent works on this machine: start it, name its state directory (GANGLION_STATE_DIR), or name another host (--host)",
    );
  }
  try {
    return await askAgent(stateDir, type, payload, timeoutMs);
  } catch (error) {
    if (error instanceof AgentUnreachable || error instanceof CommandFailed) throw new Failure(error.message);
    throw error;
  }
}
