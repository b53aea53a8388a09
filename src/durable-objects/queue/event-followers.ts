import * as z from "zod";
import type { EventTail } from "../../core/queue/event-tail.ts";
import type { CallerToken } from "../../core/queue/queries.ts";
import type { EventsFrame } from "../../core/queue/work-frames.ts";
import { closeEnded, type TaggedSockets, tokenOfQuery } from "../shell/sockets.ts";

/** Tag of the sockets that follow events. Sockets without this tag are workers' channels. */
export const FOLLOWER = "events";
/** Most unacknowledged events of a follower. A follower that is further behind is disconnected, and resumes later. */
const MAX_UNACKNOWLEDGED = 2_000;

/** Largest frame of events, in characters: a larger one is cut into several. */
const FRAME_CHARS = 128 * 1024;

/** What of a follower survives hibernation; followers of earlier versions have nothing of it. */
const Attachment = z.object({
  token: z.object({ id: z.string(), expiresMs: z.number().nullable() }).optional(),
});

interface Follower {
  /** Number of the last acknowledged event. */
  acknowledged: number;
  readonly token: CallerToken | undefined;
}

/** Sockets to which the events of a queue are sent as they happen. */
export class EventFollowers {
  /** Names this life of the object in memory: the event numbers of another life mean nothing here. */
  readonly #incarnation = crypto.randomUUID().slice(0, 8);
  readonly #followers = new Map<WebSocket, Follower>();
  readonly #isOver: (token: CallerToken | undefined) => boolean;
  #published = 0;

  /**
   * @param open - sockets that outlived hibernation: they have missed no events, since none happened meanwhile
   * @param isOver - whether a token was deleted or has expired
   */
  constructor(open: readonly WebSocket[], isOver: (token: CallerToken | undefined) => boolean) {
    this.#isOver = isOver;
    for (const socket of open) {
      const { data } = Attachment.safeParse(socket.deserializeAttachment());
      this.#followers.set(socket, { acknowledged: 0, token: data?.token });
    }
  }

  /**
   * Adds a follower and sends it the latest events.
   *
   * @param query - `after`: id of the last event that the follower has received, of any incarnation; `tail`: number of latest
   *   events for a follower that has received none
   */
  accept(tagged: TaggedSockets, query: URLSearchParams, tailOf: (count: number) => EventTail): Response {
    const { server, answer } = tagged.accept(query, FOLLOWER);
    const [after, count] = [query.get("after"), Number(query.get("tail") ?? "0")];
    this.#open(server, tailOf(count), { after, count, token: tokenOfQuery(query) });
    return answer();
  }

  #open(
    socket: WebSocket,
    tail: EventTail,
    { after, count, token }: { after: string | null; count: number; token: CallerToken | undefined },
  ): void {
    socket.serializeAttachment({ token } satisfies z.infer<typeof Attachment>);
    const [incarnation, number] = after?.split(".") ?? [];
    const events =
      after === null ? tail.last(count) : tail.after(incarnation === this.#incarnation ? Number(number) : 0);
    this.#followers.set(socket, { acknowledged: tail.count, token });
    this.#send(socket, this.#frames(tail, events));
  }

  /** Sends the events that happened since the last call. */
  publish(tail: EventTail): void {
    const before = this.#published;
    this.#published = tail.count;
    if (this.#followers.size === 0 || tail.count === before) return;
    // Where more events happened at once than the tail keeps, the oldest of them are not sent.
    const frames = this.#frames(tail, tail.after(before));
    for (const [socket, { acknowledged, token }] of this.#followers) {
      if (this.#isOver(token)) {
        this.close(socket);
        closeEnded(socket);
      } else if (tail.count - acknowledged <= MAX_UNACKNOWLEDGED) this.#send(socket, frames);
      else {
        this.close(socket);
        socket.close(1013, "too far behind: reconnect with the id of the last event");
      }
    }
  }

  /**
   * @param message - number of the last event that the follower has taken; more than was sent counts as that
   * @returns whether the socket is a follower's
   */
  acknowledge(socket: WebSocket, message: string | ArrayBuffer): boolean {
    const number = typeof message === "string" ? Number(message) : Number.NaN;
    const follower = this.#followers.get(socket);
    if (follower !== undefined && Number.isInteger(number)) follower.acknowledged = Math.min(number, this.#published);
    return follower !== undefined;
  }

  close(socket: WebSocket): void {
    this.#followers.delete(socket);
  }

  /** @param events - the latest of the tail */
  #frames(tail: EventTail, events: EventsFrame["events"]): string[] {
    const frames: string[] = [];
    let first = tail.count - events.length + 1;
    let part: EventsFrame["events"] = [];
    let chars = 0;
    const end = () => {
      if (part.length === 0) return;
      const frame: EventsFrame = { type: "events", incarnation: this.#incarnation, first, events: part };
      frames.push(JSON.stringify(frame));
      first += part.length;
      part = [];
      chars = 0;
    };
    for (const event of events) {
      // Of an event only its error can be long, and its names can be of some hundred characters.
      const size = 1_500 + (event.error?.length ?? 0);
      if (chars + size > FRAME_CHARS) end();
      part.push(event);
      chars += size;
    }
    end();
    return frames;
  }

  #send(socket: WebSocket, frames: readonly string[]): void {
    try {
      for (const frame of frames) socket.send(frame);
    } catch {
      this.close(socket); // the follower has disconnected, which its close event reports later
    }
  }
}
