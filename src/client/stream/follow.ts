import type { Signal } from "../../core/signals/signal.ts";
import { acrossConnections, type Interruptions } from "./across-connections.ts";
import type { SignalSource } from "./signal-source.ts";

export interface FollowOptions extends Interruptions {
  /** Start behind this place in the log; default: from now on. */
  readonly after?: number;
  /** Patterns; default: all. */
  readonly signals?: readonly string[];
  /** Called each time that the stream is open. */
  readonly onOpen?: (after: number) => void;
  /** Called for each frame without signals, by which the edge keeps a stream open, and wakes those who asked for it. */
  readonly onQuiet?: () => void;
}

/**
 * Signals one by one, each once and in the order of the log, across any number of connections. Signals that the consumer
 * has taken are acknowledged; while it takes none, the edge stops sending and continues from the log later.
 *
 * @param open - opens the stream behind a place in the log
 * @throws the error of `open` at the very first attempt, and any refusal that is not transient (401, 403, …)
 */
export function followLog(
  after: number,
  open: (after: number) => Promise<SignalSource>,
  { onOpen, onQuiet, ...interruptions }: FollowOptions,
): AsyncGenerator<Signal, void, void> {
  let last = after;
  return acrossConnections(async function* (received) {
    const source = await open(last);
    onOpen?.(last);
    try {
      for await (const batch of source) {
        received();
        if (batch.signals.length === 0) onQuiet?.();
        for (const one of batch.signals) {
          // Signals of a frame that was sent twice, or that overlaps the place of the resumption, are skipped.
          if (one.seq <= last) continue;
          yield one;
          last = one.seq;
        }
        last = Math.max(last, batch.last);
        // What this connection sent, and not more: the place to resume from may lie behind the end of a log that was set back.
        source.handled(batch);
      }
    } finally {
      source.close();
    }
  }, interruptions);
}
