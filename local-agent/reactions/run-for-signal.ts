import { resolve } from "node:path";
import { lastOf, printedFacts } from "../../src/core/reactions/printed.ts";
import type { TooLargeOutput } from "../../src/core/reactions/too-large.ts";
import type { Facts } from "../../src/core/signals/signal.ts";
import { traceOf } from "../../src/core/signals/trace.ts";
import type { Logger } from "../base/log.ts";
import type { KeptOutputs } from "../base/process/kept-outputs.ts";
import { RUN_VARIABLE } from "../base/process/leftovers.ts";
import { endingText, runCommand } from "../base/process/run-command.ts";
import type { CommandSettings } from "./command-settings.ts";
import { runKey, sourceOf } from "./emission.ts";
import type { Attempt } from "./reaction.ts";

export interface SignalCommand extends CommandSettings {
  readonly name: string;
  readonly timeoutMs: number;
  /** Shortest time between two `Q_REACTION_PROGRESS`; `undefined`: no progress is emitted. */
  readonly progressMs: number | undefined;
  /** Default of `cwd`, and base of a relative one. */
  readonly baseDir: string;
  /** The host that runs the command. */
  readonly hostId: string;
  /** Where outputs are kept that are too large to be passed on. */
  readonly outputs: Pick<KeptOutputs, "pathOf">;
  readonly log: Logger;
}

export type CommandOutcome =
  | {
      readonly ok: true;
      /** The JSON object that the command printed, if it did. */
      readonly printed: Facts | undefined;
      /** The end of the output. */
      readonly output: string;
      /** Whether the output is too large to be known as a whole. */
      readonly isLarge: boolean;
      /** Keeps the whole output in a file of this host. @returns what to pass on instead */
      readonly keep: () => TooLargeOutput;
      readonly facts: Facts;
    }
  | { readonly ok: false; readonly error: string; readonly facts: Facts };

/** Longest piece of output in facts and in the log, in characters. */
const MAX_TEXT = 4_096;

/** Runs a command with the attempt's signal, as one line of JSON, on its standard input. Only status 0 is a success. */
export async function runForSignal(command: SignalCommand, attempt: Attempt): Promise<CommandOutcome> {
  const { signal, abort } = attempt;
  const { identity, result } = runCommand({
    command: command.command,
    cwd: resolve(command.baseDir, command.cwd ?? "."),
    timeoutMs: command.timeoutMs,
    graceMs: command.grace_ms,
    abort,
    env: {
      ...command.env,
      [RUN_VARIABLE]: attempt.run,
      GANGLION_REACTION: command.name,
      GANGLION_SIGNAL: signal.signal,
      GANGLION_SIGNAL_ID: signal.id,
      GANGLION_ATTEMPT: String(attempt.attempt),
      TRACEPARENT: traceOf(runKey(sourceOf(command.name, command.hostId), signal.id), signal),
    },
    input: `${JSON.stringify(signal)}\n`,
    wholeOutput: command.outputs.pathOf(attempt.run),
    onLine: lineHandler(command, attempt),
  });
  if (identity !== undefined) attempt.started(identity);
  const { ending, stdout, stderr, durationMs, wholeOutput } = await result;
  const facts = { duration_ms: durationMs, ...(ending.kind === "exited" && { exit_code: ending.code }) };
  if (ending.kind === "exited" && ending.code === 0) {
    const output = lastOf(stdout.end, MAX_TEXT);
    const keep = (): TooLargeOutput => {
      const { path, problem } = wholeOutput?.keep() ?? { path: null };
      const size = wholeOutput?.size ?? 0;
      return { truncated: true, size, path, host: command.hostId, output, ...(problem !== undefined && { problem }) };
    };
    return { ok: true, printed: printedFacts(stdout), output, isLarge: !stdout.whole, keep, facts };
  }
  wholeOutput?.discard();
  const errorOutput = lastOf(stderr.text, MAX_TEXT);
  return {
    ok: false,
    error: `the command ${endingText(ending)}`,
    facts: { ...facts, ...(errorOutput !== "" && { stderr: errorOutput }) },
  };
}

/** Logs each line of output, and emits lines as progress. */
function lineHandler({ name, progressMs, log }: SignalCommand, { signal, emit }: Attempt) {
  let emittedMs = Number.NEGATIVE_INFINITY;
  return (line: string, stream: "stdout" | "stderr"): void => {
    log.info({ reaction: name, signal: signal.id, stream }, line.slice(0, MAX_TEXT));
    if (progressMs === undefined || performance.now() - emittedMs < progressMs) return;
    emittedMs = performance.now();
    emit({
      signal: "Q_REACTION_PROGRESS",
      facts: { reaction: name, signal_id: signal.id, stream, line: line.slice(0, MAX_TEXT) },
    });
  };
}
