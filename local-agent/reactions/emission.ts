import { IDENTIFIER, type Signal } from "../../src/core/signals/signal.ts";
import { traceOf } from "../../src/core/signals/trace.ts";
import { errorsText, takeIn } from "../store/intake.ts";
import type { TimedSignal } from "../store/signal-text.ts";
import type { Emission } from "./reaction.ts";

/** Source of what a reaction says: by it a reaction knows its own words, on whichever host they were said. */
export const sourceOf = (reaction: string, hostId: string): string => `reaction/${reaction}/${hostId}`;
export const saidBy = (reaction: string, source: string): boolean => source.startsWith(`reaction/${reaction}/`);

export type Emissions =
  | { readonly ok: true; readonly signals: readonly TimedSignal[] }
  | { readonly ok: false; readonly error: string };

/**
 * A task that was put in the form of a signal, which has no place in a log, is nobody's cause: what led to the task is.
 */
function chainOf({ seq, id, cause, depth }: Signal): { cause: string; depth: number } {
  if (seq === 0 && cause !== undefined) return { cause, depth: depth ?? 1 };
  return { cause: id, depth: (depth ?? 0) + 1 };
}

/** What a reaction to `cause` says, as signals that the edge will take, or what is wrong with them. */
export function emissionsOf(
  emit: readonly Emission[],
  { cause, source, nowMs }: { readonly cause: Signal; readonly source: string; readonly nowMs: number },
): Emissions {
  const signals: TimedSignal[] = [];
  for (const { signal, facts, id } of emit) {
    const taken = takeIn(
      {
        ...{
          signal,
          source,
          facts,
          ...chainOf(cause),
          trace: traceOf(id ?? `${source}:${cause.id}:${signal}`, cause),
        },
        // One that is too long to be an id protects from nothing, and harms nothing by being left out.
        ...(id !== undefined && IDENTIFIER.test(id) && { id }),
      },
      nowMs,
    );
    if (!taken.ok) return { ok: false, error: `it cannot say ${signal}: ${errorsText(taken.errors)}` };
    signals.push(taken.signal);
  }
  return { ok: true, signals };
}
