import { type MessageLike, type Subscriber, XPublisher, type XSubscriber } from "zeromq";
import { Listeners } from "../base/listeners.ts";
import { HIGH_WATER_MARK, type HostBus, type HostBusOptions, LINGER_MS } from "./host-bus.ts";
import { SocketWriter } from "./socket-writer.ts";

interface Reading {
  /** Called with each message before the agent sees it. */
  readonly forward?: (frames: readonly Buffer[]) => Promise<void>;
  /** Message of the log when a message of the bus fails. */
  readonly failure: string;
  /** Reads the subscriptions of other programs until the socket is closed. */
  readonly watch: () => Promise<void>;
}

/** Base of both kinds of bus connection: a socket that receives, one that sends, and readiness that changes. */
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

  /** Starts to read both sockets. */
  protected read({ forward, failure, watch }: Reading): void {
    this.#loops = Promise.all([this.#receive(forward, failure), watch()]);
  }

  async #receive(forward: Reading["forward"], failure: string): Promise<void> {
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

/** Reads what a publishing socket receives: a byte, 1 to subscribe and 0 to unsubscribe, and the topic. */
export function readTopicChange(frame: Buffer | undefined): { topic: string; subscribed: boolean } | undefined {
  const kind = frame?.[0];
  if (frame === undefined || (kind !== 0 && kind !== 1)) return undefined;
  return { topic: frame.toString("latin1", 1), subscribed: kind === 1 };
}
