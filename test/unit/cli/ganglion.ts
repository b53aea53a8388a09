import { Readable } from "node:stream";
import { main } from "../../../cli/main.ts";

export const TOKEN = "t0ken-of-the-test";

export interface Finished {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

interface RunOptions {
  readonly env?: Record<string, string>;
  /** Standard input; default: empty. */
  readonly input?: string;
  /** Working directory of the command; default: that of the tests. */
  readonly cwd?: string;
  /** Columns of the terminal to which the command writes; default: it writes into a pipe. */
  readonly terminal?: number;
}

/** The environment of a command under test: nothing of this process's but PATH. */
export const commandEnvironment = (env: Record<string, string> = {}): Record<string, string | undefined> => ({
  PATH: process.env.PATH,
  // No contexts of the person who runs the tests.
  XDG_CONFIG_HOME: "/nowhere",
  GANGLION_TOKEN: TOKEN,
  GANGLION_HOST_ID: "this-host",
  ...env,
});

let previous: Promise<unknown> = Promise.resolve();

/**
 * Runs the command inside this process, and captures its output and exit code. A process of its own for each of a hundred
 * commands would take most of the time of all unit tests; test/integration/cli/ starts real ones.
 *
 * Commands run one after the other, because output, environment and working directory belong to the whole process.
 */
export function ganglion(args: readonly string[], options: RunOptions = {}): Promise<Finished> {
  const finished = previous.then(() => run(args, options));
  previous = finished.catch(() => undefined);
  return finished;
}

async function run(args: readonly string[], { env = {}, input = "", cwd, terminal }: RunOptions): Promise<Finished> {
  const out = capture(process.stdout);
  const asTerminal = { isTTY: terminal !== undefined, columns: terminal ?? 0 };
  const ownTerminal = { isTTY: process.stdout.isTTY, columns: process.stdout.columns };
  Object.assign(process.stdout, asTerminal);
  const err = capture(process.stderr);
  const stdin = Object.getOwnPropertyDescriptor(process, "stdin");
  const { env: ownEnvironment, exitCode: ownExitCode } = process;
  const ownDirectory = process.cwd();
  Object.defineProperty(process, "stdin", { value: Readable.from([Buffer.from(input)]), configurable: true });
  process.env = commandEnvironment(env);
  process.exitCode = 0;
  if (cwd !== undefined) process.chdir(cwd);
  try {
    await main([process.execPath, "ganglion", ...args]);
    return { code: Number(process.exitCode), out: out.text(), err: err.text() };
  } finally {
    Object.assign(process.stdout, ownTerminal);
    process.chdir(ownDirectory);
    process.exitCode = ownExitCode;
    process.env = ownEnvironment;
    if (stdin !== undefined) Object.defineProperty(process, "stdin", stdin);
    out.restore();
    err.restore();
  }
}

/** Takes what is written to the stream, until it is restored. Listeners that the command added leave with it. */
function capture(stream: NodeJS.WriteStream) {
  const { write } = stream;
  const ownListeners = new Set(stream.listeners("error"));
  const chunks: string[] = [];
  stream.write = (chunk: string | Uint8Array) => {
    chunks.push(String(chunk));
    return true;
  };
  return {
    text: () => chunks.join(""),
    restore: () => {
      stream.write = write;
      for (const listener of stream.listeners("error"))
        if (!ownListeners.has(listener)) stream.off("error", listener as (error: Error) => void);
    },
  };
}
