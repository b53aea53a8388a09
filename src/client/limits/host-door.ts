import * as z from "zod";
import { MAX_SOCKET_PATH_BYTES, SERVICE_STATE, SOCKET_NAME } from "../../core/hosts/agent-socket.ts";
import {
  HOST_RESERVE,
  HOST_SETTLE,
  HostReserveAnswer,
  type HostReserveInput,
  HostSettleAnswer,
  type HostSettleInput,
} from "../../core/limits/host/api.ts";

const ANSWER_MS = 5_000;

/** What an agent answers that holds no shares for this process: it is of another edge, or of an earlier version. */
const NOT_OURS = /another edge|does not know/;

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

type Net = typeof import("node:net");
type Fs = typeof import("node:fs");

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
  const net = node?.getBuiltinModule?.("node:net") as Net | undefined;
  const fs = node?.getBuiltinModule?.("node:fs") as Fs | undefined;
  if (node === undefined || net === undefined || fs === undefined)
    return { reserve: async () => undefined, settle: async () => undefined };
  // An agent of another edge refuses; whoever asked it does not ask it again.
  const refusing = new Set<string>();
  const path = () => pathsOf(node).find((one) => !refusing.has(one) && fs.existsSync(one));
  const ask = async (type: string, payload: unknown, timeoutMs: number, signal?: AbortSignal) => {
    const at = path();
    if (at === undefined) return undefined;
    const answer = await exchange(net, at, { type, payload }, timeoutMs, signal);
    if (answer?.error === undefined) return answer?.result;
    if (NOT_OURS.test(answer.error.message)) refusing.add(at);
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
  return directories
    .map((directory) => `${directory}/${SOCKET_NAME}`)
    .filter((path) => new TextEncoder().encode(path).length <= MAX_SOCKET_PATH_BYTES);
}

const Answer = z.object({
  result: z.unknown().optional(),
  error: z.object({ message: z.string() }).optional(),
});
type Answer = z.infer<typeof Answer>;

/** @returns `undefined`: nobody listens, or may be asked @throws AnswerLost, the reason of `signal` */
function exchange(
  net: Net,
  path: string,
  request: object,
  timeoutMs: number,
  signal: AbortSignal | undefined,
): Promise<Answer | undefined> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted === true) return reject(signal.reason);
    let [connected, text] = [false, ""];
    const socket = net.connect(path);
    const aborted = () => {
      reject(signal?.reason);
      socket.destroy();
    };
    signal?.addEventListener("abort", aborted, { once: true });
    socket.setEncoding("utf8");
    socket.setTimeout(timeoutMs, () => socket.destroy());
    socket.once("connect", () => {
      connected = true;
      socket.write(`${JSON.stringify(request)}\n`);
    });
    socket.on("data", (chunk: string) => {
      text += chunk;
    });
    // Nobody listens, it belongs to another user, or it was killed: "close" follows.
    socket.on("error", () => undefined);
    socket.once("close", () => {
      signal?.removeEventListener("abort", aborted);
      if (!connected) return resolve(undefined);
      if (!text.endsWith("\n")) return reject(new AnswerLost(`the agent at ${path} ended before it answered`));
      try {
        resolve(Answer.parse(JSON.parse(text)));
      } catch (error) {
        reject(new AnswerLost(`what listens at ${path} answered no document`, { cause: error }));
      }
    });
  });
}
