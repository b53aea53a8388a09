import { type ChildProcess, spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { onTestFinished } from "vitest";
import { commandEnvironment, type Finished } from "../../unit/cli/ganglion.ts";

const BIN = fileURLToPath(new URL("../../../cli/ganglion.mjs", import.meta.url));

interface ProcessOptions {
  readonly env?: Record<string, string>;
  /** Which Node; default: the one that runs the tests. */
  readonly node?: string;
}

/** Starts the command as a process of its own, with nothing of this environment but what is given. */
export function start(args: readonly string[], { env = {}, node = process.execPath }: ProcessOptions = {}) {
  const child: ChildProcess = spawn(node, [BIN, ...args], { env: commandEnvironment(env), stdio: "pipe" });
  onTestFinished(() => {
    child.kill("SIGKILL");
  });
  const { stdin, stdout, stderr } = child;
  if (stdin === null || stdout === null || stderr === null) throw new Error("no pipes");
  stdin.end();
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
