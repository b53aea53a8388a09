import { Subscriber } from "zeromq";
import { concrete } from "../base/endpoint.ts";
import type { Logger } from "../base/log.ts";
import { HIGH_WATER_MARK } from "./host-bus.ts";

export interface BoundPublishersOptions {
  readonly addresses: readonly string[];
  /** Called with every message. A returned promise delays the next one. */
  readonly onMessage: (frames: readonly Buffer[]) => Promise<void> | undefined;
  readonly log: Logger;
}

/**
 * Reads publishers that bind a socket of their own. Their messages go to the edge, and not to the bus: who reads them on this
 * host is connected to the publisher. A publisher that is away is connected to when it comes.
 */
export class BoundPublishers {
  readonly #socket = new Subscriber({ receiveHighWaterMark: HIGH_WATER_MARK, linger: 0, reconnectMaxInterval: 1_000 });
  readonly #options: BoundPublishersOptions;
  #reading: Promise<void> = Promise.resolve();

  constructor(options: BoundPublishersOptions) {
    this.#options = options;
  }

  open(): void {
    for (const address of this.#options.addresses) this.#socket.connect(concrete(address, "connect"));
    this.#socket.subscribe();
    this.#reading = this.#read();
  }

  async close(): Promise<void> {
    this.#socket.close();
    await this.#reading;
  }

  async #read(): Promise<void> {
    for await (const frames of this.#socket) {
      try {
        const hold = this.#options.onMessage(frames);
        if (hold !== undefined) await hold;
      } catch (error) {
        this.#options.log.error({ err: error }, "bus: a message of a bound publisher cannot be taken in");
      }
    }
  }
}
