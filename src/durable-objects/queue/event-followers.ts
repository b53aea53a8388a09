import type { EventTail } from "../../core/queue/event-tail.ts";
import type { EventsFrame } from "../../core/queue/work-frames.ts";

/** Tag of the sockets that follow events; the others are workers'. */
export const FOLLOWER = "events";
/** Events sent to a follower and not seen by it. One that is further behind is cut off, and resumes when it can. */
const MAX_UNSEEN = 5_000;

/** Who is told what happens in a queue, as it happens. */
export class EventFollowers {
  /** Names this life of the object: numbers of events mean nothing in another. */
  readonly #life = crypto.randomUUID().slice(0, 8);
  /** By socket, number of the last event that it has seen. */
  readonly #seen = new Map<WebSocket, number>();
  #told = 0;

  /** @param open - sockets that outlived hibernation: to them nothing new has happened */
  constructor(open: readonly WebSocket[]) {
    for (const socket of open) this.#seen.set(socket, 0);
  }

  has(socket: WebSocket): boolean {
    return this.#seen.has(socket);
  }

  /**
   * Tells what happened lately and goes on from there.
   *
   * @param after - id of the last event that the follower has had, of whichever life; `null`: it comes anew
   * @param count - how many of the last ones one that comes anew wants
   */
  open(socket: WebSocket, tail: EventTail, after: string | null, count: number): void {
    const [life, number] = after?.split(".") ?? [];
    const events = after === null ? tail.last(count) : tail.after(life === this.#life ? Number(number) : 0);
    this.#seen.set(socket, tail.count);
    if (events.length === 0) return;
    this.#send(socket, { type: "events", life: this.#life, first: tail.count - events.length + 1, events });
  }

  /** Tells what has happened since it was last called. */
  tell(tail: EventTail): void {
    const first = this.#told + 1;
    this.#told = tail.count;
    if (this.#seen.size === 0 || tail.count < first) return;
    const events = tail.after(first - 1);
    // More than is kept happened at once: the oldest of it is told to nobody.
    const frame: EventsFrame = { type: "events", life: this.#life, first: tail.count - events.length + 1, events };
    for (const [socket, seen] of this.#seen) {
      if (tail.count - seen <= MAX_UNSEEN) this.#send(socket, frame);
      else {
        this.close(socket);
        socket.close(1013, "too far behind: come again with the id of the last event");
      }
    }
  }

  hear(socket: WebSocket, message: string | ArrayBuffer): void {
    const number = typeof message === "string" ? Number(message) : Number.NaN;
    if (Number.isInteger(number)) this.#seen.set(socket, number);
  }

  close(socket: WebSocket): void {
    this.#seen.delete(socket);
  }

  #send(socket: WebSocket, frame: EventsFrame): void {
    try {
      socket.send(JSON.stringify(frame));
    } catch {
      this.close(socket); // it went away between two events
    }
  }
}
