import { spawn } from "node:child_process";
import { accessSync, constants } from "node:fs";
import { constants as systemConstants } from "node:os";
import { delimiter, join } from "node:path";
import { type TaskContext, TaskReleased } from "../../../src/client/work/task-handler.ts";
import type { LeasedTask } from "../../../src/core/queue/api.ts";

export interface TaskCommand {
  readonly program: string;
  readonly args: readonly string[];
  readonly queue: string;
  /** How long a process has to end after SIGTERM, in milliseconds. */
  readonly graceMs: number;
}

/** The program cannot be started at all: no task can be done. */
export class CannotStart extends Error {
  override readonly name = "CannotStart";
}

/** Why a program cannot be started, before a task waits for it; `undefined`: it can, as far as that is known. */
export function whyNotStartable(program: string, path = process.env.PATH ?? ""): string | undefined {
  const places = program.includes("/") ? [program] : path.split(delimiter).map((place) => join(place, program));
  let code = "ENOENT";
  for (const place of places) {
    try {
      accessSync(place, constants.X_OK);
      return undefined;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "EACCES") code = "EACCES";
    }
  }
  return startTrouble(program, { code });
}

/** Characters of the output that become the result, and of the errors that become the reason. */
const MOST = { output: 200_000, errors: 2_000 } as const;
/** A variable holds 128 KiB on Linux; a larger payload is on the standard input alone. */
const VARIABLE_BYTES = 100_000;

/**
 * Runs a command for one task: its payload is on the standard input and in the environment. Exit code 0 completes the task
 * with what the command printed; any other fails the attempt, with the code and the last lines of its errors as the reason.
 *
 * The command has a process group of its own, so that a cancellation ends what it has started, too.
 *
 * @param stopping - whether this worker is being stopped: a process that a signal ends then gives its task back
 */
export async function runForTask(
  task: LeasedTask,
  { signal }: TaskContext,
  command: TaskCommand,
  stopping: () => boolean,
): Promise<unknown> {
  const { program, args, queue, graceMs } = command;
  const child = spawn(program, args, {
    stdio: ["pipe", "pipe", "pipe"],
    env: { ...process.env, ...environmentOf(task, queue) },
    detached: true,
  });
  const [output, errors] = [new Tail(MOST.output, "start"), new Tail(MOST.errors, "end")];
  child.stdout.setEncoding("utf8").on("data", (text: string) => output.add(text));
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    process.stderr.write(text);
    errors.add(text);
  });
  // A command that does not read its input may have closed it.
  child.stdin.on("error", () => undefined);
  child.stdin.end(JSON.stringify(task.payload ?? null));
  let killTimer: NodeJS.Timeout | undefined;
  const kill = () => {
    signalGroup(child.pid, "SIGTERM");
    killTimer = setTimeout(() => signalGroup(child.pid, "SIGKILL"), graceMs);
  };
  if (signal.aborted) kill();
  else signal.addEventListener("abort", kill, { once: true });
  try {
    const { code, by } = await new Promise<{ code: number | null; by: NodeJS.Signals | null }>((resolve, reject) => {
      child.once("error", (error: NodeJS.ErrnoException) => reject(new CannotStart(startTrouble(program, error))));
      child.once("close", (code, by) => resolve({ code, by }));
    });
    if (code === 0) return resultOf(output.text);
    if (stopping() && by !== null) throw new TaskReleased(`${program} was ended by ${by} while the worker stopped`);
    throw new Error(reasonOf(program, code, by, errors.text));
  } finally {
    clearTimeout(killTimer);
    signal.removeEventListener("abort", kill);
  }
}

function environmentOf(task: LeasedTask, queue: string): Record<string, string> {
  const payload = JSON.stringify(task.payload ?? null);
  return {
    GANGLION_TASK_ID: task.task_id,
    GANGLION_TASK_TYPE: task.type,
    GANGLION_TASK_RECIPIENT: task.recipient,
    GANGLION_TASK_QUEUE: queue,
    GANGLION_TASK_ATTEMPT: String(task.attempt),
    GANGLION_TASK_PRIORITY: String(task.priority),
    ...(task.sender === null ? {} : { GANGLION_TASK_SENDER: task.sender }),
    ...(task.cause === undefined ? {} : { GANGLION_TASK_CAUSE: task.cause }),
    ...(Buffer.byteLength(payload) > VARIABLE_BYTES ? {} : { GANGLION_TASK_PAYLOAD: payload }),
  };
}

/** A negative number means the group. It may have ended meanwhile. */
function signalGroup(pid: number | undefined, name: NodeJS.Signals): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, name);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
  }
}

/** JSON, where the output is JSON, or its text. */
function resultOf(output: string): unknown {
  const text = output.trim();
  if (text === "") return null;
  try {
    return JSON.parse(text);
  } catch {
    return { output: text };
  }
}

function reasonOf(program: string, code: number | null, by: NodeJS.Signals | null, errors: string): string {
  const how = by === null ? `ended with exit code ${code}` : `was ended by ${by} (${systemConstants.signals[by]})`;
  const said = errors.trim();
  return `${program} ${how}${said === "" ? "" : `: ${said}`}`;
}

function startTrouble(program: string, { code }: { readonly code?: string | undefined }): string {
  if (code === "ENOENT") return `there is no program ${program}: check the name after --, and the PATH`;
  if (code === "EACCES") return `${program} may not be run: make it executable (chmod +x ${program})`;
  return `${program} cannot be started (${code})`;
}

/** Keeps the first or the last characters of a text that comes in pieces. */
class Tail {
  readonly #most: number;
  readonly #end: "start" | "end";
  text = "";

  constructor(most: number, end: "start" | "end") {
    this.#most = most;
    this.#end = end;
  }

  add(piece: string): void {
    const all = this.text + piece;
    this.text = this.#end === "start" ? all.slice(0, this.#most) : all.slice(-this.#most);
  }
}
