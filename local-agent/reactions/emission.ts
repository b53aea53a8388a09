import { IDENTIFIER, type Signal } from "../../src/core/signals/signal.ts";
import { traceOf } from "../../src/core/signals/trace.ts";
import { errorsText, takeIn } from "../store/intake.ts";
import type { TimedSignal } from "../store/signal-text.ts";
import type { Emission } from "./reaction.ts";

/** Source of the signals that a reaction emits. */
export const sourceOf = (reaction: string, hostId: string): string => `reaction/${reaction}/${hostId}`;
/** Whether a reaction of this name, on any host, emitted a signal with this source. */
export const isEmittedBy = (reaction: string, source: string): boolean => source.startsWith(`reaction/${reaction}/`);

/**
 * Names a run of a reaction in traceparents: that of its command, and those of its signals.
 *
 * @param source - of {@link sourceOf}: every host that reacts to a signal has a run of its own
 */
export const runKey = (source: string, signal: string): string => `${source}:${signal}`;

export type Emissions =
  | { readonly ok: true; readonly signals: readonly TimedSignal[] }
  | { readonly ok: false; readonly error: string };

/**
 * A task in the form of a signal has no place in the log, so it cannot be the cause of a signal. The cause of the task
 * is.
 */
function chainOf({ seq, id, cause, depth }: Signal): { cause: string; depth: number } {
  if (seq === 0 && cause !== undefined) return { cause, depth: depth ?? 1 };
  return { cause: signalId(id), depth: (depth ?? 0) + 1 };
}

/** An id that is made of a task's, as the id of a signal: only ids of tasks may hold `/`. */
const signalId = (id: string): string => id.replaceAll("/", "~1");

/** Makes the emissions of a reaction to `cause` into signals that the edge will admit. */
export function emissionsOf(
  emit: readonly Emission[],
  { cause, source, nowMs }: { readonly cause: Signal; readonly source: string; readonly nowMs: number },
): Emissions {
  const signals: TimedSignal[] = [];
  for (const { signal, facts, id } of emit) {
    const own = id === undefined ? undefined : signalId(id);
    const taken = takeIn(
      {
        signal,
        source,
        facts,
        ...chainOf(cause),
        trace: traceOf(id ?? runKey(source, cause.id), cause),
        // An id that is too long is left out: the log then gives one, and a duplicate is not recognised.
        ...(own !== undefined && IDENTIFIER.test(own) && { id: own }),
      },
      nowMs,
    );
    if (!taken.ok) return { ok: false, error: `${signal} is not a valid signal: ${errorsText(taken.errors)}` };
    signals.push(taken.signal);
  }
  return { ok: true, signals };
}
