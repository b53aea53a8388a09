import type { CommandSettings } from "../command-settings.ts";
import { runForSignal } from "../run-for-signal.ts";
import type { BuiltInContext, RunAttempt } from "./built-in.ts";
import { passedOn } from "./passed-on.ts";

/** Runs a command. The signal of success carries the JSON object that it printed, or else the end of its output. */
export function commandReaction(settings: CommandSettings, context: BuiltInContext): RunAttempt {
  const { name, completed, passOn } = context;
  return async (attempt) => {
    const { signal } = attempt;
    const outcome = await runForSignal({ ...settings, ...context }, attempt);
    if (!outcome.ok) return { ...outcome, retry: true };
    const result = outcome.printed ?? { output: outcome.output };
    const facts = {
      reaction: name,
      trigger_id: signal.id,
      attempt: attempt.attempt,
      ...outcome.facts,
      ...passedOn(signal, passOn),
      ...result,
    };
    return { ok: true, emit: completed === null ? [] : [{ signal: completed, facts }], result };
  };
}
