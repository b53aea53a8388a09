import { resolve } from "node:path";
import { lastOf, printedFacts } from "../../src/core/reactions/printed.ts";
import type { Facts } from "../../src/core/signals/signal.ts";
import { traceOf } from "../../src/core/signals/trace.ts";
import type { Logger } from "../base/log.ts";
import { RUN_VARIABLE } from "../base/process/leftovers.ts";
import { endingText, runCommand } from "../base/process/run-command.ts";
import type { CommandSettings } from "./command-settings.ts";
import type { Attempt } from "./reaction.ts";

export interface SignalCommand extends CommandSettings {
  readonly name: string;
  readonly timeoutMs: number;
  /** Shortest time between two `Q_REACTION_PROGRESS`; `undefined`: no progress is emitted. */
  readonly progressMs: number | undefined;
  /** Default of `cwd`, and base of a relative one. */
  readonly baseDir: string;
  readonly log: Logger;
}

export type CommandOutcome =
  /** `printed`: the JSON object that the command printed, if it did. */
  | { readonly ok: true; readonly printed: Facts | undefined; readonly output: string; readonly facts: Facts }
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
      TRACEPARENT: traceOf(`${command.name}:${signal.id}`, signal),
    },
    input: `${JSON.stringify(signal)}\n`,
    onLine: lineHandler(command, attempt),
  });
  if (identity !== undefined) attempt.started(identity);
  const { ending, stdout, stderr, durationMs } = await result;
  const facts = { duration_ms: durationMs, ...(ending.kind === "exited" && { exit_code: ending.code }) };
  if (ending.kind === "exited" && ending.code === 0)
    return { ok: true, printed: printedFacts(stdout.text), output: lastOf(stdout.text, MAX_TEXT), facts };
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
