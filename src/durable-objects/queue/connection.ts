import type { Entry } from "../../core/queue/entry.ts";
import type { Waiter } from "../../core/queue/waiters.ts";

/** What a worker has said that it takes. */
export interface Ready {
  readonly recipient: string;
  readonly credit: number;
  readonly leaseMs: number;
}

/** All that survives hibernation. What a worker holds is known from the leases, which name its connection. */
export interface Attachment {
  readonly id: string;
  readonly worker: string;
  readonly mayAsk: boolean;
  readonly ready: readonly Ready[];
  /** It has sent several frames in one message, and so reads them. */
  readonly several: boolean;
}

/** A message is cut where it would exceed this, in characters. */
const MESSAGE_CHARS = 256 * 1024;

/** One worker's or caller's channel. What is said in a turn goes out together, where the other end reads that. */
export class Connection {
  readonly socket: WebSocket;
  readonly id: string;
  readonly worker: string;
  readonly mayAsk: boolean;
  readonly ready = new Map<string, { readonly said: Ready; readonly waiter: Waiter }>();
  /** Tasks given in the transaction that is running. */
  given: Entry[] = [];
  readonly #speaking: Set<Connection>;
  #several: boolean;
  #frames: string[] = [];
  #chars = 0;

  /** @param speaking - connections that are to be flushed; this one puts itself in */
  constructor(
    socket: WebSocket,
    { id, worker, mayAsk, several }: Omit<Attachment, "ready">,
    speaking: Set<Connection>,
  ) {
    this.socket = socket;
    this.#speaking = speaking;
    this.id = id;
    this.worker = worker;
    this.mayAsk = mayAsk;
    this.#several = several;
  }

  /** Notes that the other end reads several frames in a message. */
  sentSeveral(): void {
    if (this.#several) return;
    this.#several = true;
    this.attach();
  }

  attach(): void {
    const { id, worker, mayAsk } = this;
    const ready = [...this.ready.values()].map(({ said }) => said);
    this.socket.serializeAttachment({ id, worker, mayAsk, ready, several: this.#several } satisfies Attachment);
  }

  /** Says it with the next {@link flush}. */
  say(frame: string): void {
    if (this.#chars + frame.length > MESSAGE_CHARS) this.flush();
    this.#speaking.add(this);
    this.#frames.push(frame);
    this.#chars += frame.length;
  }

  /** @throws when the other end has gone away between two events */
  flush(): void {
    const frames = this.#frames;
    if (frames.length === 0) return;
    this.#frames = [];
    this.#chars = 0;
    if (this.#several && frames.length > 1) this.socket.send(`[${frames.join(",")}]`);
    else for (const frame of frames) this.socket.send(frame);
  }
}

/** The connection and, where it works for several, the recipient: each has a credit of its own. */
export const holderName = (id: string, recipient: string) => `${id} ${recipient}`;
export const connectionOf = (holder: string) => holder.split(" ", 1)[0] ?? "";
