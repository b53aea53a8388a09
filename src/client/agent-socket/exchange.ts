import { MAX_LINE_BYTES, MAX_SOCKET_PATH_BYTES } from "../../core/hosts/agent-socket.ts";

/** What Node has for sockets. It is handed in, so that browsers load what imports this file. */
export interface NodeSockets {
  readonly net: Pick<typeof import("node:net"), "connect">;
  readonly fs: Pick<typeof import("node:fs"), "openSync" | "closeSync" | "constants">;
}

/**
 * Why there is no answer. `absent`: nobody listens. `forbidden`: who listens belongs to another user. `late`: none came in time.
 * `lost`: the connection ended before the answer, or the answer is too long. With `late` and `lost` the agent may have done what
 * was asked.
 */
type Why = "absent" | "forbidden" | "late" | "lost";

export class NoAnswer extends Error {
  override readonly name = "NoAnswer";
  readonly why: Why;

  constructor(why: Why, message: string, options?: ErrorOptions) {
    super(message, options);
    this.why = why;
  }
}

interface ExchangeOptions {
  /** Longest silence, in milliseconds. */
  readonly timeoutMs: number;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Sends one line to the agent that listens at a path, and receives one.
 *
 * @param path - may be longer than a socket's path
 * @returns the answer, without its end of line
 * @throws NoAnswer, the reason of `signal`
 */
export function exchangeLine(
  { net, fs }: NodeSockets,
  path: string,
  line: string,
  { timeoutMs, signal }: ExchangeOptions,
): Promise<string> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted === true) return reject(signal.reason);
    let short: ShortPath;
    try {
      short = shortPath(fs, path);
    } catch (error) {
      return reject(new NoAnswer(whyOf(error, false), `no directory of ${path}`, { cause: error }));
    }
    const socket = net.connect(short.path);
    const decoder = new TextDecoder();
    let [connected, text, bytes] = [false, "", 0];
    // Whatever comes first is the end: a promise is settled once.
    const fail = (why: Why, message: string, cause?: unknown) => {
      reject(new NoAnswer(why, message, { cause }));
      socket.destroy();
    };
    const aborted = () => {
      reject(signal?.reason);
      socket.destroy();
    };
    signal?.addEventListener("abort", aborted, { once: true });
    socket.setTimeout(timeoutMs, () => fail("late", `no answer within ${timeoutMs} ms`));
    socket.once("connect", () => {
      connected = true;
      socket.write(`${line}\n`);
    });
    socket.on("data", (chunk: Uint8Array) => {
      bytes += chunk.byteLength;
      if (bytes > MAX_LINE_BYTES) return fail("lost", `the answer exceeds ${MAX_LINE_BYTES} bytes`);
      text += decoder.decode(chunk, { stream: true });
    });
    socket.on("error", (error) => fail(whyOf(error, connected), error.message, error));
    socket.once("close", () => {
      signal?.removeEventListener("abort", aborted);
      short.done();
      if (text.endsWith("\n")) resolve(text.slice(0, -1));
      else fail(connected ? "lost" : "absent", "the connection ended before the answer");
    });
  });
}

function whyOf(error: unknown, connected: boolean): Why {
  const code = typeof error === "object" && error !== null && "code" in error ? error.code : undefined;
  if (connected) return "lost";
  return code === "EACCES" || code === "EPERM" ? "forbidden" : "absent";
}

export interface ShortPath {
  readonly path: string;
  /** To be called when the socket is closed. */
  done(): void;
}

/**
 * The path of a state directory may be longer than the path of a socket, which Node would truncate silently. Through a descriptor
 * of the directory the same file has a short path, which is valid until `done` is called.
 *
 * @throws Error where there is no such directory
 */
export function shortPath(fs: NodeSockets["fs"], path: string): ShortPath {
  if (new TextEncoder().encode(path).length <= MAX_SOCKET_PATH_BYTES) return { path, done: () => undefined };
  const end = path.lastIndexOf("/");
  const directory = fs.openSync(path.slice(0, end) || "/", fs.constants.O_RDONLY | fs.constants.O_DIRECTORY);
  return { path: `/proc/self/fd/${directory}${path.slice(end)}`, done: () => fs.closeSync(directory) };
}
