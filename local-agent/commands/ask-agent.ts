import { existsSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { SERVICE_STATE, SOCKET_NAME } from "../../src/core/hosts/agent-socket.ts";
import { type Environment, userState } from "../base/locations.ts";
import { Answer, MAX_LINE_BYTES } from "./protocol.ts";
import { shortSocketPath } from "./socket-path.ts";

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
  return candidates.find((directory) => existsSync(join(directory, SOCKET_NAME)));
}

/**
 * Sends a command to the agent of this machine and waits for its answer.
 *
 * @param timeoutMs - longest wait for the answer
 * @throws AgentUnreachable, CommandFailed
 */
export async function askAgent(stateDir: string, type: string, payload: unknown, timeoutMs: number): Promise<unknown> {
  const answer = await exchange(stateDir, `${JSON.stringify({ type, payload })}\n`, timeoutMs);
  if ("error" in answer) throw new CommandFailed(answer.error.message);
  return answer.result;
}

function exchange(stateDir: string, line: string, timeoutMs: number): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const fail = (why: string) => reject(new AgentUnreachable(why));
    let short: { readonly path: string; done(): void };
    try {
      short = shortSocketPath(join(stateDir, SOCKET_NAME));
    } catch {
      return fail(`no agent runs in ${stateDir}`);
    }
    const socket = connect(short.path);
    const chunks: Buffer[] = [];
    let length = 0;
    socket.setTimeout(timeoutMs, () => {
      fail(`the agent in ${stateDir} has not answered within ${timeoutMs} ms`);
      socket.destroy();
    });
    socket.on("connect", () => socket.write(line));
    socket.on("data", (chunk: Buffer) => {
      chunks.push(chunk);
      length += chunk.length;
      if (length > MAX_LINE_BYTES) socket.destroy(new Error(`the answer exceeds ${MAX_LINE_BYTES} bytes`));
    });
    socket.on("error", (error: NodeJS.ErrnoException) => {
      if (error.code === "ENOENT" || error.code === "ECONNREFUSED") return fail(`no agent runs in ${stateDir}`);
      if (error.code === "EACCES") return fail(`the agent in ${stateDir} belongs to another user`);
      fail(`the agent in ${stateDir} did not answer: ${error.message}`);
    });
    socket.on("close", () => {
      short.done();
      try {
        resolve(Answer.parse(JSON.parse(Buffer.concat(chunks).toString())));
      } catch {
        fail(`the agent in ${stateDir} ended before it answered`);
      }
    });
  });
}
