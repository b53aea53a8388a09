import { type ChildProcess, spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { cleanEnvironment } from "./clean-environment.ts";
import { KeptText, LineSplitter } from "./output.ts";
import { identify, type ProcessIdentity, signalGroup } from "./process-group.ts";
import { WholeOutput } from "./whole-output.ts";

export interface CommandOptions {
  /** The program and its arguments; no shell is used. */
  readonly command: readonly [string, ...string[]];
  /** Working directory; default: that of the agent. */
  readonly cwd?: string | undefined;
  /** Overrides the agent's environment, without the agent's secrets; `null` removes a variable. */
  readonly env?: Readonly<Record<string, string | null>>;
  /** Text of the standard input; default: empty. */
  readonly input?: string;
  /** Time limit in milliseconds; default: none. */
  readonly timeoutMs?: number | undefined;
  /** Milliseconds between SIGTERM and SIGKILL; default 5,000. */
  readonly graceMs?: number | undefined;
  /** Ends the command like the time limit. */
  readonly abort?: AbortSignal;
  readonly onLine?: (line: string, stream: "stdout" | "stderr") => void;
  /** Characters to keep of each of the two outputs; default 131,072. */
  readonly keep?: number;
  /** File for the whole standard output, if that is larger than `keep`; default: only its beginning and end are kept. */
  readonly wholeOutput?: string;
}

export type Ending =
  | { readonly kind: "exited"; readonly code: number }
  /** Killed by another process: the kernel's out-of-memory killer, or a person. */
  | { readonly kind: "killed"; readonly signal: NodeJS.Signals }
  | { readonly kind: "timed_out"; readonly timeoutMs: number }
  | { readonly kind: "aborted" }
  | { readonly kind: "not_started"; readonly error: string };

export interface CommandResult {
  readonly ending: Ending;
  readonly durationMs: number;
  readonly stdout: KeptText;
  readonly stderr: KeptText;
  /** For `wholeOutput`: the file of a large output stays until `discard` is called. */
  readonly wholeOutput: WholeOutput | undefined;
}

export interface RunningCommand {
  /** The command leads a process group of its own; `undefined` when it could not be started. */
  readonly identity: ProcessIdentity | undefined;
  /** Never rejects. When it resolves, no process of the command's group is left. */
  readonly result: Promise<CommandResult>;
}

const GRACE_MS = 5_000;
const KEEP = 128 * 1024;
/** Time after the end of a command to read its pipes; then the rest of its group is killed. */
const DRAIN_MS = 200;

/**
 * Starts a command in a process group of its own, so that it can be ended with all its descendants. The result does not
 * wait for a grandchild that keeps the outputs open: the end of the command itself counts.
 */
export function runCommand(options: CommandOptions): RunningCommand {
  const [file, ...args] = options.command;
  const startedMs = performance.now();
  const stdout = new KeptText(options.keep ?? KEEP);
  const stderr = new KeptText(options.keep ?? KEEP);
  const wholeOutput = options.wholeOutput === undefined ? undefined : new WholeOutput(options.wholeOutput);
  const over = (ending: Ending): CommandResult => {
    wholeOutput?.finish(!stdout.whole);
    return { ending, durationMs: Math.round(performance.now() - startedMs), stdout, stderr, wholeOutput };
  };
  if (options.abort?.aborted) return { identity: undefined, result: Promise.resolve(over({ kind: "aborted" })) };
  let child: ChildProcess;
  try {
    child = spawn(file, args, {
      cwd: options.cwd,
      env: cleanEnvironment(process.env, options.env),
      stdio: [options.input === undefined ? "ignore" : "pipe", "pipe", "pipe"],
      detached: true,
    });
  } catch (error) {
    return { identity: undefined, result: Promise.resolve(over(notStarted(options, error))) };
  }
  child.stdout?.on("data", (chunk: Buffer) => wholeOutput?.append(chunk, !stdout.whole));
  read(child, "stdout", stdout, options.onLine);
  read(child, "stderr", stderr, options.onLine);
  // A command need not read its input: a closed pipe is not a failure.
  child.stdin?.on("error", () => undefined);
  child.stdin?.end(options.input);
  return {
    identity: child.pid === undefined ? undefined : identify(child.pid),
    result: ended(child, options).then(over),
  };
}

function read(
  child: ChildProcess,
  stream: "stdout" | "stderr",
  kept: KeptText,
  onLine: CommandOptions["onLine"],
): void {
  const lines = new LineSplitter((line) => onLine?.(line, stream));
  child[stream]?.on("data", (chunk: Buffer) => kept.append(lines.write(chunk)));
  child[stream]?.on("close", () => lines.end());
}

async function ended(child: ChildProcess, options: CommandOptions): Promise<Ending> {
  const { timeoutMs, graceMs = GRACE_MS, abort } = options;
  const { pid } = child;
  const timers: NodeJS.Timeout[] = [];
  let asked: Ending | undefined;
  const end = (why: Ending) => {
    if (pid === undefined || asked !== undefined) return;
    asked = why;
    signalGroup(pid, "SIGTERM");
    timers.push(setTimeout(() => signalGroup(pid, "SIGKILL"), graceMs));
  };
  const onAbort = () => end({ kind: "aborted" });
  abort?.addEventListener("abort", onAbort, { once: true });
  // A timer above 2^31 ms fires at once.
  if (timeoutMs !== undefined)
    timers.push(setTimeout(() => end({ kind: "timed_out", timeoutMs }), Math.min(timeoutMs, 2 ** 31 - 1)));
  const closed = new Promise<void>((resolve) => child.once("close", () => resolve()));
  const outcome = await new Promise<Ending>((resolve) => {
    child.once("error", (error) => resolve(notStarted(options, error)));
    child.once("exit", (code, signal) =>
      resolve(code === null ? { kind: "killed", signal: signal ?? "SIGKILL" } : { kind: "exited", code }),
    );
  });
  for (const timer of timers) clearTimeout(timer);
  abort?.removeEventListener("abort", onAbort);
  if (pid === undefined) return outcome;
  await endRest(child, pid, closed);
  return asked ?? outcome;
}

/** Runs after the end of the command. A process that is to outlive its command needs a session of its own (setsid). */
async function endRest(child: ChildProcess, pid: number, closed: Promise<void>): Promise<void> {
  const rest = signalGroup(pid, "SIGTERM");
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, DRAIN_MS);
  });
  // Processes of the group may have closed the outputs and still run: they get the same time.
  await (rest ? late.then(() => undefined) : Promise.race([closed, late]));
  clearTimeout(timer);
  if (rest) signalGroup(pid, "SIGKILL");
  child.stdout?.destroy();
  child.stderr?.destroy();
  await closed;
}

function notStarted({ command: [file], cwd }: CommandOptions, error: unknown): Ending {
  const { code, message } = error as NodeJS.ErrnoException;
  // The kernel reports ENOENT for both.
  if (cwd !== undefined && !existsSync(cwd))
    return { kind: "not_started", error: `the working directory ${cwd} does not exist` };
  if (code === "ENOENT") return { kind: "not_started", error: `there is no program ${file}` };
  if (code === "EACCES") return { kind: "not_started", error: `${file} may not be executed` };
  return { kind: "not_started", error: `${file} could not be started: ${message}` };
}

/** For people, completes "the command …". */
export function endingText(ending: Ending): string {
  switch (ending.kind) {
    case "exited":
      return `ended with status ${ending.code}`;
    case "killed":
      return `was killed by ${ending.signal}`;
    case "timed_out":
      return `did not end within ${ending.timeoutMs} ms and was stopped`;
    case "aborted":
      return "was stopped";
    case "not_started":
      return `could not be started: ${ending.error}`;
  }
}
