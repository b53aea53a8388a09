import { AgentUnreachable, askAgent, CommandFailed, localStateDir } from "../local-agent/commands/ask-agent.ts";
import { Failure } from "./failure.ts";

/**
 * Sends a command to the agent of this machine, over its local socket.
 *
 * @throws Failure in words for people
 */
export async function askLocalAgent(type: string, payload: unknown, timeoutMs: number): Promise<unknown> {
  const stateDir = localStateDir(process.env);
  if (stateDir === undefined) {
    throw new Failure(
      "no agent runs on this machine: start one, set GANGLION_STATE_DIR to its state directory, or name another host with --host",
    );
  }
  try {
    return await askAgent(stateDir, type, payload, timeoutMs);
  } catch (error) {
    if (error instanceof AgentUnreachable || error instanceof CommandFailed) throw new Failure(error.message);
    throw error;
  }
}
