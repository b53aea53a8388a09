import type { CommandSettings } from "../command-settings.ts";
import { runForSignal } from "../run-for-signal.ts";
import type { BuiltInContext, Perform } from "./built-in.ts";
import { passedOn } from "./command-facts.ts";

/** A command whose end is told: with what it printed as JSON, or else with what it printed. */
export function performCommand(settings: CommandSettings, context: BuiltInContext): Perform {
  const { name, completed, passOn } = context;
  return async (attempt) => {
    const { signal } = attempt;
    const outcome = await runForSignal({ ...settings, ...context }, attempt);
    if (!outcome.ok) return { ...outcome, retry: true };
    const result = outcome.printed ?? { output: outcome.output };
    const facts = {
      ...{ reaction: name, trigger_id: signal.id, attempt: attempt.attempt, ...outcome.facts },
      ...passedOn(signal, passOn),
      ...result,
    };
    return { ok: true, emit: completed === null ? [] : [{ signal: completed, facts }], result };
  };
}
