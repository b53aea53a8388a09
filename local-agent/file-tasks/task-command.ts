import type { FileTask } from "../../src/core/file-tasks/file-task.ts";
import { RUN_VARIABLE } from "../base/process/leftovers.ts";
import { type CommandResult, endingText, runCommand } from "../base/process/run-command.ts";
import type { WorkerSettings } from "./settings.ts";

export interface TaskCommandOptions {
  readonly settings: WorkerSettings;
  /** Default working directory. */
  readonly root: string;
  readonly task: FileTask;
  readonly attempt: number;
  /** Mark by which the process is found after the agent was killed: unique for each attempt. */
  readonly run: string;
  readonly abort: AbortSignal;
}

/** Runs a worker's command with a task on its standard input. Never rejects. */
export function runTask({ settings, root, task, attempt, run, abort }: TaskCommandOptions): Promise<CommandResult> {
  const [program = "", ...args] = settings.command;
  return runCommand({
    command: [program, ...args],
    cwd: settings.directory ?? root,
    env: {
      ...settings.environment,
      [RUN_VARIABLE]: run,
      GANGLION_WORKER: settings.name,
      GANGLION_TASK_ID: task.task_id,
      GANGLION_ATTEMPT: String(attempt),
    },
    input: `${JSON.stringify(task)}\n`,
    timeoutMs: settings.timeout_seconds * 1_000,
    abort,
  }).result;
}

/** Why an attempt failed, with the last line of the command's standard error; `undefined` for a success. */
export function failureOf({ ending, stderr }: CommandResult): string | undefined {
  if (ending.kind === "exited" && ending.code === 0) return undefined;
  const last = stderr.text.trimEnd().split("\n").at(-1)?.slice(0, 500);
  return `the command ${endingText(ending)}${last === undefined || last === "" ? "" : `: ${last}`}`;
}

/** Output of a command: parsed if it is JSON, else as text; `null` when it printed nothing. */
export function printed({ stdout }: CommandResult): unknown {
  const text = stdout.text.trim();
  if (text === "") return null;
  if (!stdout.whole) return text;
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
