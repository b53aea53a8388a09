import { type ChildProcess, spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { onTestFinished } from "vitest";

const BIN = fileURLToPath(new URL("../../../cli/ganglion.mjs", import.meta.url));
export const TOKEN = "t0ken-of-the-test";

export interface Finished {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

interface How {
  readonly env?: Record<string, string>;
  readonly input?: string;
  /** Which Node; default: the one that runs the tests. */
  readonly node?: string;
  readonly cwd?: string;
}

/** Starts the command as a process of its own, with nothing of this environment but what is given. */
export function start(args: readonly string[], { env = {}, node = process.execPath, cwd, input }: How = {}) {
  const child: ChildProcess = spawn(node, [BIN, ...args], {
    env: { PATH: process.env.PATH, GANGLION_TOKEN: TOKEN, GANGLION_HOST_ID: "this-host", ...env },
    stdio: "pipe",
    ...(cwd === undefined ? {} : { cwd }),
  });
  onTestFinished(() => {
    child.kill("SIGKILL");
  });
  const { stdin, stdout, stderr } = child;
  if (stdin === null || stdout === null || stderr === null) throw new Error("no pipes");
  stdin.end(input);
  const text = { out: "", err: "" };
  stdout.on("data", (chunk: Buffer) => {
    text.out += chunk;
  });
  stderr.on("data", (chunk: Buffer) => {
    text.err += chunk;
  });
  const finished = new Promise<Finished>((resolve) => child.once("close", (code) => resolve({ code, ...text })));
  const errLines = createInterface({ input: stderr });
  return {
    finished,
    stdout,
    kill: (signal: NodeJS.Signals) => child.kill(signal),
    /** Waits for a line on standard error. */
    remark: (pattern: RegExp) =>
      new Promise<string>((resolve) => errLines.on("line", (line) => pattern.test(line) && resolve(line))),
  };
}

export const ganglion = (args: readonly string[], how?: How): Promise<Finished> => start(args, how).finished;
