import { type HostTrace, type TracedRun, TraceRequest } from "../../src/core/hosts/signal-trace.ts";
import { compilePatterns } from "../../src/core/signals/pattern.ts";
import { CommandRefused } from "../feature/command.ts";
import type { SinkSubscription } from "../feature/feature.ts";

export interface TraceContext {
  readonly host: string;
  /** The place in the log up to which the inbox is complete. */
  readonly cursor: number | null;
  readonly subscriptions: readonly SinkSubscription[];
  /** Whether the signal came from this host's bus, to which it is not sent back. */
  readonly cameFromBus: (id: string) => boolean;
  readonly runsOf: (id: string) => readonly TracedRun[];
}

/**
 * Says what this host did with signals: for what it received each, and which of its reactions ran. The inbox forgets a signal
 * that was handled, so receipt follows from the subscription and from how far the inbox has come; the journal of reactions
 * knows its runs for seven days.
 *
 * @throws CommandRefused for a payload that names no signals
 */
export function traceSignals(payload: unknown, context: TraceContext): HostTrace {
  const request = TraceRequest.safeParse(payload);
  if (!request.success) throw new CommandRefused("Give {signals: [{id, seq, signal}, …]}, 1 to 100 of them");
  const { host, cursor, subscriptions, cameFromBus, runsOf } = context;
  const sinks = subscriptions
    .filter(({ signals }) => signals.length > 0)
    .map(({ sink, signals }) => ({ sink, matches: compilePatterns(signals) }));
  const signals = request.data.signals.map(({ id, seq, signal }) => {
    const isHere = cursor !== null && seq <= cursor;
    const received_for = sinks
      .filter(({ sink, matches }) => isHere && matches(signal) && !(sink === "bus" && cameFromBus(id)))
      .map(({ sink }) => sink);
    return { id, received_for, reactions: [...runsOf(id)] };
  });
  return {
    host,
    signals: signals.filter(({ received_for, reactions }) => received_for.length + reactions.length > 0),
  };
}
