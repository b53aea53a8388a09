import { QueueEvent } from "../../core/queue/api.ts";
import { acrossConnections, type Interruptions } from "./across-connections.ts";
import type { ServerSentEvents } from "./server-sent-events.ts";

export type FollowEventsOptions = Interruptions & {
  /** Begin with so many of the last ones; default 100. */
  readonly tail?: number;
};

/**
 * What happens in a queue, as it happens, across any number of connections. Events are not stored: those of a time in
 * which the queue was woken anew and nobody was connected are not seen.
 *
 * @param open - opens the stream behind an event
 * @throws what `open` threw at the very first attempt, and any refusal that trying again cannot help
 */
export function followEvents(
  open: (lastId: string | undefined) => Promise<ServerSentEvents>,
  interruptions: FollowEventsOptions,
): AsyncGenerator<QueueEvent, void, void> {
  let lastId: string | undefined;
  return acrossConnections(async function* (received) {
    const events = await open(lastId);
    try {
      for await (const event of events) {
        received();
        lastId = event.get("id") ?? lastId;
        const data = event.get("data");
        // Loose: fields that a newer edge adds are passed on.
        if (data !== undefined) yield QueueEvent.loose().parse(JSON.parse(data));
      }
    } finally {
      events.close();
    }
  }, interruptions);
}
