import type { FileTask } from "../../src/core/file-tasks/file-task.ts";
import { JSON_LIMITS, MAX_DEPTH } from "../../src/core/json/limits.ts";
import { readJsonKeeping } from "../../src/core/json/read-json.ts";
import { lastOf } from "../../src/core/reactions/printed.ts";
import { fitsAsJson, type TooLargeOutput } from "../../src/core/reactions/too-large.ts";
import { RUN_VARIABLE } from "../base/process/leftovers.ts";
import { type CommandResult, endingText, runCommand } from "../base/process/run-command.ts";
import type { KeptOutput } from "../base/process/whole-output.ts";
import type { WorkerSettings } from "./settings.ts";

export interface TaskCommandOptions {
  readonly settings: WorkerSettings;
  /** Default working directory. */
  readonly root: string;
  readonly task: FileTask;
  readonly attempt: number;
  /** Mark by which the process is found after the agent was killed: unique for each attempt. */
  readonly run: string;
  /** File for the whole output, if that is too large for a result. */
  readonly output: string;
  readonly abort: AbortSignal;
  readonly timeoutSeconds: number;
}

/** Runs a worker's command with a task on its standard input. Never rejects. */
export function runTask(options: TaskCommandOptions): Promise<CommandResult> {
  const { settings, root, task, attempt, run, output, abort, timeoutSeconds } = options;
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
    timeoutMs: timeoutSeconds * 1_000,
    wholeOutput: output,
    abort,
  }).result;
}

/** Why an attempt failed, with the last line of the command's standard error; `undefined` for a success. */
export function failureOf({ ending, stderr }: CommandResult): string | undefined {
  if (ending.kind === "exited" && ending.code === 0) return undefined;
  const last = stderr.text.trimEnd().split("\n").at(-1)?.slice(0, 500);
  return `the command ${endingText(ending)}${last === undefined || last === "" ? "" : `: ${last}`}`;
}

/** Result of a command that succeeded. */
export type TaskOutput =
  /** Its output: parsed if it is JSON within the limits, else as text; `null` when it printed nothing. */
  | { readonly kind: "value"; readonly value: unknown }
  /** The output is too large for a result. It is in the file `output` of the command, unless there was no room. */
  | { readonly kind: "too_large"; readonly kept: KeptOutput; readonly size: number; readonly end: string };

export type LargeOutput = Extract<TaskOutput, { kind: "too_large" }>;

/** How much of a large output is in its result, for people. */
const END_CHARS = 4_096;
/** A fleet's result lies inside the result of a task of the edge. */
const LIMITS_OF_RESULT = { ...JSON_LIMITS, depth: MAX_DEPTH - 1 };

/** @param maxBytes - limit of the value as JSON; default: what is kept of an output */
export function outputOf({ stdout, wholeOutput }: CommandResult, maxBytes = Number.POSITIVE_INFINITY): TaskOutput {
  if (stdout.whole) {
    const value = valueIn(stdout.text.trim());
    if (maxBytes === Number.POSITIVE_INFINITY || fitsAsJson(value, maxBytes)) {
      wholeOutput?.discard();
      return { kind: "value", value };
    }
  }
  const kept = wholeOutput?.keep() ?? { path: null, bytes: 0 };
  return { kind: "too_large", kept, size: wholeOutput?.size ?? 0, end: lastOf(stdout.end, END_CHARS) };
}

function valueIn(text: string): unknown {
  if (text === "") return null;
  const reading = readJsonKeeping(text, LIMITS_OF_RESULT);
  // Any text may be the result of a command.
  return reading.ok ? reading.value : text;
}

/** @param path - where the whole output lies in the end */
export function tooLargeOf({ kept, size, end }: LargeOutput, path: string, host: string): TooLargeOutput {
  const { problem } = kept;
  return {
    truncated: true,
    size,
    path: kept.path === null ? null : path,
    host,
    output: end,
    ...(problem !== undefined && { problem }),
  };
}
