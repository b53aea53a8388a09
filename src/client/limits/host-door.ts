import * as z from "zod";
import { SERVICE_STATE, SOCKET_NAME } from "../../core/hosts/agent-socket.ts";
import {
  HOST_RESERVE,
  HOST_SETTLE,
  HostReserveAnswer,
  type HostReserveInput,
  HostSettleAnswer,
  type HostSettleInput,
} from "../../core/limits/host/api.ts";
import { exchangeLine, NoAnswer, type NodeSockets } from "../agent-socket/exchange.ts";

const ANSWER_MS = 5_000;

/** An agent that holds no shares for this process: it is of another edge, or of a version without shares. */
const NOT_OURS: readonly unknown[] = ["other-edge", "unknown-command"];
/**
 * The same in the words of an agent whose answers have no code. This library and the agent of a host are installed apart, so a
 * program with a newer library meets older agents for as long as nobody has upgraded them.
 */
const NOT_OURS_IN_WORDS = /another edge|does not know/;

/** The agent was asked, and its answer did not come: it may have done what was asked. */
export class AnswerLost extends Error {
  override readonly name = "AnswerLost";
}

/** The local agent of this machine, which holds shares of limits for all of its processes. */
export interface HostDoor {
  /** @returns `undefined`: no agent of this edge and ecosystem answers */
  reserve(request: HostReserveInput, signal?: AbortSignal): Promise<HostReserveAnswer | undefined>;
  /** @throws AnswerLost */
  settle(request: HostSettleInput): Promise<HostSettleAnswer | undefined>;
}

type Fs = NodeSockets["fs"] & Pick<typeof import("node:fs"), "existsSync">;

interface Node {
  readonly env: Readonly<Record<string, string | undefined>>;
  cwd(): string;
  getBuiltinModule?: (name: string) => unknown;
}

/**
 * The socket of the local agent, in Node alone: everywhere else, and where no agent runs, nobody answers. What Node has is taken at
 * run time, so that browsers load this file as well.
 */
export function hostDoor(): HostDoor {
  const node = (globalThis as { process?: Node }).process;
  const net = node?.getBuiltinModule?.("node:net") as NodeSockets["net"] | undefined;
  const fs = node?.getBuiltinModule?.("node:fs") as Fs | undefined;
  if (node === undefined || net === undefined || fs === undefined)
    return { reserve: async () => undefined, settle: async () => undefined };
  // An agent of another edge refuses; whoever asked it does not ask it again.
  const refusing = new Set<string>();
  const path = () => pathsOf(node).find((one) => !refusing.has(one) && fs.existsSync(one));
  const ask = async (type: string, payload: unknown, timeoutMs: number, signal?: AbortSignal) => {
    const at = path();
    if (at === undefined) return undefined;
    const answer = await exchange({ net, fs }, at, { type, payload }, timeoutMs, signal);
    if (answer?.error === undefined) return answer?.result;
    const { code, message } = answer.error;
    if (code === undefined ? NOT_OURS_IN_WORDS.test(message) : NOT_OURS.includes(code)) refusing.add(at);
    return undefined;
  };
  return {
    reserve: async (request, signal) => {
      try {
        const answer = await ask(HOST_RESERVE, request, (request.wait_ms ?? 0) + ANSWER_MS, signal);
        return answer === undefined ? undefined : HostReserveAnswer.parse(answer);
      } catch (error) {
        // What the agent holds for a call whose answer was lost expires.
        if (error instanceof AnswerLost) return undefined;
        throw error;
      }
    },
    settle: async (request) => {
      const answer = await ask(HOST_SETTLE, request, ANSWER_MS);
      return answer === undefined ? undefined : HostSettleAnswer.parse(answer);
    },
  };
}

function pathsOf({ env, cwd }: Node): string[] {
  const { GANGLION_STATE_DIR, XDG_STATE_HOME, HOME } = env;
  const user = XDG_STATE_HOME?.startsWith("/") === true ? XDG_STATE_HOME : HOME && `${HOME}/.local/state`;
  const directories = GANGLION_STATE_DIR
    ? [GANGLION_STATE_DIR]
    : [`${cwd()}/.ganglion`, ...(user ? [`${user}/ganglion`] : []), SERVICE_STATE];
  return directories.map((directory) => `${directory}/${SOCKET_NAME}`);
}

const Answer = z.object({
  result: z.unknown().optional(),
  // A later agent may give other codes.
  error: z.object({ message: z.string(), code: z.string().optional() }).optional(),
});
type Answer = z.infer<typeof Answer>;

/** @returns `undefined`: nobody listens, or may be asked @throws AnswerLost, the reason of `signal` */
async function exchange(
  sockets: NodeSockets,
  path: string,
  request: object,
  timeoutMs: number,
  signal: AbortSignal | undefined,
): Promise<Answer | undefined> {
  try {
    return Answer.parse(JSON.parse(await exchangeLine(sockets, path, JSON.stringify(request), { timeoutMs, signal })));
  } catch (error) {
    if (signal?.aborted === true) throw error;
    if (error instanceof NoAnswer && (error.why === "absent" || error.why === "forbidden")) return undefined;
    const why = error instanceof NoAnswer ? error.message : "it is no document";
    throw new AnswerLost(`the agent at ${path} gave no answer: ${why}`, { cause: error });
  }
}
