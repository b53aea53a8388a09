import { EdgeUnreachable } from "../http/problem-errors.ts";
import { backoffMs, isTransient, pause } from "../http/retry.ts";

export interface Interruptions {
  /** Ends the iteration without an error. */
  readonly signal?: AbortSignal;
  /** Called when the stream broke and is going to be opened again after `delayMs`. */
  readonly onInterrupted?: (reason: string, delayMs: number) => void;
}

const MAX_DELAY_MS = 10_000;

/**
 * Items of a stream that is opened again whenever it breaks.
 *
 * @param connection - generates the items of one connection, which it opens and closes; calls `received` for each arrival
 * @throws the error of the very first attempt, and any refusal that is not transient (401, 403, …)
 */
export async function* acrossConnections<Item>(
  connection: (received: () => void) => AsyncGenerator<Item, void, void>,
  { signal, onInterrupted }: Interruptions,
): AsyncGenerator<Item, void, void> {
  const stopped = () => signal?.aborted === true;
  let failures = 0;
  const received = () => {
    failures = 0;
  };
  for (let first = true; !stopped(); first = false) {
    let reason = "the stream ended";
    try {
      yield* connection(received);
    } catch (error) {
      if (stopped()) return;
      if (first || !isTransient(error)) throw error;
      reason = error instanceof EdgeUnreachable ? "no edge answers" : "the edge is overloaded";
    }
    if (stopped()) return;
    failures += 1;
    const delayMs = backoffMs(failures, MAX_DELAY_MS);
    onInterrupted?.(reason, delayMs);
    await pause(delayMs, signal);
  }
}
