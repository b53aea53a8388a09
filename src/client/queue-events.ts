import type { QueueEvent } from "../core/tasks/queue-api.ts";
import type { FollowOptions } from "./follow.ts";
import { EdgeUnreachable } from "./problem-errors.ts";
import { backoffMs, mayPass, pause } from "./retry.ts";
import type { ServerSentEvents } from "./server-sent-events.ts";

export type FollowEventsOptions = Pick<FollowOptions, "signal" | "onInterrupted"> & {
  /** Begin with so many of the last ones; default 100. */
  readonly tail?: number;
};

const MAX_DELAY_MS = 10_000;

/**
 * What happens in a queue, as it happens, across any number of connections. Events are not stored: those of a time in
 * which the queue was woken anew and nobody was connected are not seen.
 *
 * @param open - opens the stream behind an event
 * @throws what `open` threw at the very first attempt, and any refusal that trying again cannot help
 */
export async function* followEvents(
  open: (lastId: string | undefined) => Promise<ServerSentEvents>,
  { signal, onInterrupted }: FollowEventsOptions,
): AsyncGenerator<QueueEvent, void, void> {
  const stopped = () => signal?.aborted === true;
  let lastId: string | undefined;
  let failures = 0;
  for (let first = true; !stopped(); first = false) {
    let reason = "the stream ended";
    try {
      const events = await open(lastId);
      try {
        for await (const event of events) {
          failures = 0;
          lastId = event.get("id") ?? lastId;
          const data = event.get("data");
          if (data !== undefined) yield JSON.parse(data) as QueueEvent;
        }
      } finally {
        events.close();
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
