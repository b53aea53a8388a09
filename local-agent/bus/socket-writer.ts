import type { MessageLike, Writable } from "zeromq";

type Frames = readonly MessageLike[];

/**
 * The only writer of a socket. The library refuses a second `send` while the first has not resolved (EBUSY) and loses
 * the message, so all writes of a socket must form one queue.
 */
export class SocketWriter {
  readonly #socket: Writable<MessageLike[]>;
  #last: Promise<void> = Promise.resolve();

  constructor(socket: Writable<MessageLike[]>) {
    this.#socket = socket;
  }

  /** Resolves when the library has taken the message. */
  write(frames: Frames): Promise<void> {
    const sent = this.#last.then(() => this.#socket.send(frames as MessageLike[]));
    // A failed write must not fail the next one.
    this.#last = sent.catch(() => undefined);
    return sent;
  }
}
