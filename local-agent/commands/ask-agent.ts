import * as fs from "node:fs";
import * as net from "node:net";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { exchangeLine, NoAnswer } from "../../src/client/agent-socket/exchange.ts";
import { SERVICE_STATE, SOCKET_NAME } from "../../src/core/hosts/agent-socket.ts";
import { type Environment, userState } from "../base/locations.ts";
import { Answer } from "./protocol.ts";

/** No agent runs in this state directory, or it does not answer. */
export class AgentUnreachable extends Error {
  override readonly name = "AgentUnreachable";
}

/** The agent refused the command, or the command failed. */
export class CommandFailed extends Error {
  override readonly name = "CommandFailed";
}

/** The state directory of the agent that runs on this machine; `undefined` when no known one has a socket. */
export function localStateDir(environment: Environment): string | undefined {
  const { GANGLION_STATE_DIR: given } = environment;
  const candidates = given
    ? [given]
    : [".ganglion", fileURLToPath(new URL("../../.ganglion", import.meta.url)), userState(environment), SERVICE_STATE];
  return candidates.find((directory) => fs.existsSync(join(directory, SOCKET_NAME)));
}

/**
 * Sends a command to the agent of this machine and waits for its answer.
 *
 * @param timeoutMs - longest wait for the answer
 * @throws AgentUnreachable, CommandFailed
 */
export async function askAgent(stateDir: string, type: string, payload: unknown, timeoutMs: number): Promise<unknown> {
  const answer = await exchange(stateDir, JSON.stringify({ type, payload }), timeoutMs);
  if ("error" in answer) throw new CommandFailed(answer.error.message);
  return answer.result;
}

async function exchange(stateDir: string, line: string, timeoutMs: number): Promise<Answer> {
  let text: string;
  try {
    text = await exchangeLine({ net, fs }, join(stateDir, SOCKET_NAME), line, { timeoutMs });
  } catch (error) {
    throw error instanceof NoAnswer ? new AgentUnreachable(unreachableText(stateDir, error, timeoutMs)) : error;
  }
  try {
    return Answer.parse(JSON.parse(text));
  } catch (error) {
    throw new AgentUnreachable(`what listens in ${stateDir} is no agent of this version`, { cause: error });
  }
}

function unreachableText(stateDir: string, { why, message }: NoAnswer, timeoutMs: number): string {
  switch (why) {
    case "absent":
      return `no agent runs in ${stateDir}`;
    case "forbidden":
      return `the agent in ${stateDir} belongs to another user`;
    case "late":
      return `the agent in ${stateDir} has not answered within ${timeoutMs} ms`;
    case "lost":
      return `the agent in ${stateDir} ended before it answered: ${message}`;
  }
}
