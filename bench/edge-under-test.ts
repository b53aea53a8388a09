import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";

/** An edge that can be called. */
export interface ReachedEdge {
  readonly url: string;
  readonly token: string;
  /** What is open to it is cut off then. */
  readonly until?: AbortSignal;
}

/** An embedded edge in processes of its own, with a state directory that is thrown away. */
export interface EdgeUnderTest extends ReachedEdge {
  /** Of the process that starts the runtime. */
  readonly pid: number;
  stop(): Promise<void>;
  /** Ends the processes and starts them on the same state directory. The edge that was before is of no use then. */
  restart(): Promise<EdgeUnderTest>;
}

/** A program that prints `ready <url>`. */
export interface StartedProgram {
  readonly main: string;
  readonly arguments?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** Default: what lies in the file `token` of the directory. */
  readonly token?: string;
  /** What runs it. Default: the Node that runs the bench. */
  readonly node?: string;
}

/** @param env - further variables of the edge */
export function startEdgeUnderTest(env: Readonly<Record<string, string>> = {}): Promise<EdgeUnderTest> {
  return startProcess((directory) => ({
    main: join(import.meta.dirname, "../local-edge/main.ts"),
    env: { ...env, GANGLION_PORT: "0", GANGLION_STATE_DIR: directory },
  }));
}

/** Starts a program on a directory of its own. */
export function startProcess(programOf: (directory: string) => StartedProgram): Promise<EdgeUnderTest> {
  const directory = mkdtempSync(join(tmpdir(), "ganglion-bench-"));
  return startOn(directory, programOf(directory));
}

async function startOn(directory: string, program: StartedProgram): Promise<EdgeUnderTest> {
  const child = spawn(program.node ?? process.execPath, [program.main, ...(program.arguments ?? [])], {
    env: { ...process.env, ...program.env },
    stdio: ["ignore", "pipe", "inherit"],
  });
  const gone = new Promise<void>((resolve) => child.once("exit", () => resolve()));
  const url = await new Promise<string>((resolve, reject) => {
    createInterface({ input: child.stdout }).on("line", (line) => {
      if (line.startsWith("ready ")) resolve(line.slice(6));
    });
    child.once("exit", (code) => reject(new Error(`${program.main} ended with ${code} before it was ready`)));
  });
  const end = async () => {
    child.kill("SIGTERM");
    await gone;
  };
  return {
    url,
    token: program.token ?? readFileSync(join(directory, "token"), "utf8").trim(),
    pid: child.pid ?? 0,
    stop: async () => {
      await end();
      rmSync(directory, { recursive: true, force: true });
    },
    restart: async () => {
      await end();
      return startOn(directory, program);
    },
  };
}
