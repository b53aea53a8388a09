import { resolve } from "node:path";
import { lastOf, printedFacts } from "../../src/core/reactions/printed.ts";
import type { Facts } from "../../src/core/signals/signal.ts";
import { traceOf } from "../../src/core/signals/trace.ts";
import type { Logger } from "../base/log.ts";
import { RUN_VARIABLE } from "../base/process/leftovers.ts";
import { type CommandResult, endingText, runCommand } from "../base/process/run-command.ts";
import type { CommandSettings } from "./command-settings.ts";
import type { Attempt } from "./reaction.ts";

export interface SignalCommand extends CommandSettings {
  readonly name: string;
  readonly timeoutMs: number;
  /** Least time between two `Q_REACTION_PROGRESS`; `undefined`: none. */
  readonly progressMs: number | undefined;
  /** Where it runs, and where a relative `cwd` starts. */
  readonly baseDir: string;
  readonly log: Logger;
}

export type CommandOutcome =
  /** `printed`: what it printed as JSON, if it did. */
  | { readonly ok: true; readonly printed: Facts | undefined; readonly output: string; readonly facts: Facts }
  | { readonly ok: false; readonly error: string; readonly facts: Facts };

const KEPT_TEXT = 4_096;

/** Runs a command with the attempt's signal, as one line of JSON, on its standard input. Status 0 alone is success. */
export async function runForSignal(command: SignalCommand, attempt: Attempt): Promise<CommandOutcome> {
  const { signal, abort } = attempt;
  const { identity, result } = runCommand({
    ...{
      command: command.command,
      cwd: resolve(command.baseDir, command.cwd ?? "."),
      timeoutMs: command.timeoutMs,
      graceMs: command.grace_ms,
      abort,
    },
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
    onLine: progress(command, attempt),
  });
  if (identity !== undefined) attempt.started(identity);
  const over = await result;
  const facts = factsOf(over);
  const { kind } = over.ending;
  if (kind === "exited" && over.ending.code === 0) {
    const output = over.stdout.text;
    return { ok: true, printed: printedFacts(output), output: lastOf(output, KEPT_TEXT), facts };
  }
  const said = lastOf(over.stderr.text, KEPT_TEXT);
  return {
    ok: false,
    error: `the command ${endingText(over.ending)}`,
    facts: { ...facts, ...(said !== "" && { stderr: said }) },
  };
}

function factsOf({ ending, durationMs }: CommandResult): Facts {
  return { duration_ms: durationMs, ...(ending.kind === "exited" && { exit_code: ending.code }) };
}

function progress({ name, progressMs, log }: SignalCommand, { signal, say }: Attempt) {
  let saidMs = Number.NEGATIVE_INFINITY;
  return (line: string, stream: "stdout" | "stderr"): void => {
    log.info({ reaction: name, signal: signal.id, stream }, line.slice(0, KEPT_TEXT));
    if (progressMs === undefined || performance.now() - saidMs < progressMs) return;
    saidMs = performance.now();
    say({
      signal: "Q_REACTION_PROGRESS",
      facts: { reaction: name, signal_id: signal.id, stream, line: line.slice(0, KEPT_TEXT) },
    });
  };
}
