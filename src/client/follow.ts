import type { Signal } from "../core/signals/signal.ts";
import { EdgeUnreachable } from "./problem-errors.ts";
import { backoffMs, mayPass, pause } from "./retry.ts";
import type { SignalSource } from "./signal-source.ts";

export interface FollowOptions {
  /** Start behind this place in the log; default: from now on. */
  readonly after?: number;
  /** Patterns; default: all. */
  readonly signals?: readonly string[];
  /** Ends the iteration without an error. */
  readonly signal?: AbortSignal;
  /** Called when the stream is open, at first and again. */
  readonly onOpen?: (after: number) => void;
  /** Called when the stream broke and is going to be opened again after `delayMs`. */
  readonly onInterrupted?: (reason: string, delayMs: number) => void;
}

const MAX_DELAY_MS = 10_000;

/**
 * Signals one by one, each once and in the order of the log, across any number of connections. What the consumer has
 * taken is acknowledged; when it asks for nothing, the edge stops sending and goes on from the log later.
 *
 * @param open - opens the stream behind a place in the log
 * @throws what `open` threw at the very first attempt, and any refusal that trying again cannot help (401, 403, …)
 */
export async function* followLog(
  after: number,
  open: (after: number) => Promise<SignalSource>,
  { signal, onOpen, onInterrupted }: FollowOptions,
): AsyncGenerator<Signal, void, void> {
  const stopped = () => signal?.aborted === true;
  let last = after;
  let failures = 0;
  for (let first = true; !stopped(); first = false) {
    let reason = "the stream ended";
    try {
      const source = await open(last);
      onOpen?.(last);
      try {
        for await (const batch of source) {
          failures = 0;
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
    } catch (error) {
      if (stopped()) return;
      if (first || !mayPass(error)) throw error;
      reason = error instanceof EdgeUnreachable ? "no edge answers" : "the edge is overloaded";
    }
    if (stopped()) return;
    failures += 1;
    const delayMs = backoffMs(failures, MAX_DELAY_MS);
    onInterrupted?.(reason, delayMs);
    await pause(delayMs, signal);
  }
}
