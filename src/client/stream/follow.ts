import type { Signal } from "../../core/signals/signal.ts";
import { acrossConnections, type Interruptions } from "./across-connections.ts";
import type { SignalSource } from "./signal-source.ts";

export interface FollowOptions extends Interruptions {
  /** Start behind this place in the log; default: from now on. */
  readonly after?: number;
  /** Patterns; default: all. */
  readonly signals?: readonly string[];
  /** Called when the stream is open, at first and again. */
  readonly onOpen?: (after: number) => void;
}

/**
 * Signals one by one, each once and in the order of the log, across any number of connections. What the consumer has
 * taken is acknowledged; when it asks for nothing, the edge stops sending and goes on from the log later.
 *
 * @param open - opens the stream behind a place in the log
 * @throws what `open` threw at the very first attempt, and any refusal that trying again cannot help (401, 403, …)
 */
export function followLog(
  after: number,
  open: (after: number) => Promise<SignalSource>,
  { onOpen, ...interruptions }: FollowOptions,
): AsyncGenerator<Signal, void, void> {
  let last = after;
  return acrossConnections(async function* (received) {
    const source = await open(last);
    onOpen?.(last);
    try {
      for await (const batch of source) {
        received();
        for (const one of batch.signals) {
          // A frame that was on its way twice, or overlaps where we resumed, is not handed out again.
          if (one.seq <= last) continue;
          yield one;
          last = one.seq;
        }
        last = Math.max(last, batch.last);
        source.seen(last);
      }
    } finally {
      source.close();
    }
  }, interruptions);
}
