import { fitsAsJson, type TooLargeOutput } from "../../../src/core/reactions/too-large.ts";
import { LIMITS } from "../../../src/core/signals/limits.ts";
import type { Facts } from "../../../src/core/signals/signal.ts";
import type { CommandSettings } from "../command-settings.ts";
import { runForSignal } from "../run-for-signal.ts";
import type { BuiltInContext, RunAttempt } from "./built-in.ts";
import { passedOn } from "./passed-on.ts";

/**
 * Runs a command. The signal of success carries the JSON object that it printed, or else the end of its output. Of an
 * output that is too large for a signal it says so, and where the whole is kept.
 */
export function commandReaction(settings: CommandSettings, context: BuiltInContext): RunAttempt {
  const { name, completed, passOn } = context;
  return async (attempt) => {
    const { signal } = attempt;
    const outcome = await runForSignal({ ...settings, ...context }, attempt);
    if (!outcome.ok) return { ...outcome, retry: true };
    const factsWith = (printed: Facts): Facts => ({
      reaction: name,
      trigger_id: signal.id,
      attempt: attempt.attempt,
      ...outcome.facts,
      ...passedOn(signal, passOn),
      ...printed,
    });
    let result: Facts | TooLargeOutput =
      outcome.printed ?? (outcome.isLarge ? outcome.keep() : { output: outcome.output });
    if (!fitsAsJson(factsWith({ ...result }), LIMITS.signalBytes)) result = outcome.keep();
    const facts = factsWith({ ...result });
    return { ok: true, emit: completed === null ? [] : [{ signal: completed, facts }], result };
  };
}
