import { QueueEvent } from "../../core/queue/api.ts";
import { acrossConnections, type Interruptions } from "./across-connections.ts";
import type { ServerSentEvents } from "./server-sent-events.ts";

export type FollowEventsOptions = Interruptions & {
  /** Number of past events to begin with; default 100. */
  readonly tail?: number;
};

/**
 * Events of a queue as they happen, across any number of connections. When the queue's object was restarted while no client
 * was connected, the stream goes on with what happened since.
 *
 * @param open - opens the stream behind an event
 * @throws the error of `open` at the very first attempt, and any refusal that is not transient
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
