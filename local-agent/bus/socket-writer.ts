import type { MessageLike, Writable } from "zeromq";

type Frames = readonly MessageLike[];

/**
 * The only writer of a socket. The library refuses a second `send` while the first has not resolved, with EBUSY and
 * the message lost, so that everybody who publishes has to stand in one line.
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
    // The next in line does not suffer for this one.
    this.#last = sent.catch(() => undefined);
    return sent;
  }
}
