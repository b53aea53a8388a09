import { type MessageLike, type Subscriber, XPublisher, type XSubscriber } from "zeromq";
import { Listeners } from "../base/listeners.ts";
import { HIGH_WATER_MARK, type HostBus, type HostBusOptions, LINGER_MS } from "./host-bus.ts";
import { SocketWriter } from "./socket-writer.ts";

interface Reading {
  /** What is done with a message before the agent sees it. */
  readonly forward?: (frames: readonly Buffer[]) => Promise<void>;
  /** For the log, when a message fails. */
  readonly failure: string;
  /** Reads the subscriptions of others for as long as there are any to come. */
  readonly watch: () => Promise<void>;
}

/** What both ways of taking part in a bus have: a socket that hears, one that speaks, and readiness that changes. */
export abstract class SocketPair<Incoming extends Subscriber | XSubscriber> implements HostBus {
  abstract readonly foreign: boolean;
  abstract readonly detail: string;
  abstract readonly ready: boolean;
  protected readonly incoming: Incoming;
  protected readonly outgoing = new XPublisher({ sendHighWaterMark: HIGH_WATER_MARK, linger: LINGER_MS });
  protected closed = false;
  readonly #writer = new SocketWriter(this.outgoing);
  readonly #options: HostBusOptions;
  readonly #listeners = new Listeners();
  #loops: Promise<unknown> = Promise.resolve();

  constructor(options: HostBusOptions, incoming: Incoming) {
    this.#options = options;
    this.incoming = incoming;
  }

  onReady(listener: () => void): void {
    this.#listeners.add(listener);
  }

  publish(frames: readonly MessageLike[]): Promise<void> {
    return this.#writer.write(frames);
  }

  async close(): Promise<void> {
    if (this.closed) return;
    this.closed = true;
    this.incoming.close();
    this.outgoing.close();
    await this.#loops;
  }

  protected readinessChanged(): void {
    this.#listeners.notify();
  }

  /** Begins to read both sockets. */
  protected read({ forward, failure, watch }: Reading): void {
    this.#loops = Promise.all([this.#hear(forward, failure), watch()]);
  }

  async #hear(forward: Reading["forward"], failure: string): Promise<void> {
    for await (const frames of this.incoming) {
      try {
        if (forward !== undefined) await forward(frames);
        const hold = this.#options.onMessage(frames);
        if (hold !== undefined) await hold;
      } catch (error) {
        if (this.closed) return;
        this.#options.log.error({ err: error }, failure);
      }
    }
  }
}
