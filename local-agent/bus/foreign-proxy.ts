import { Subscriber, XPublisher } from "zeromq";
import { concrete } from "./endpoint.ts";
import { HIGH_WATER_MARK, type HostBus, type HostBusOptions, LINGER_MS, REJOIN_MS } from "./host-bus.ts";
import { SocketWriter } from "./socket-writer.ts";

/**
 * A part in a bus whose proxy somebody else runs. What is published here comes back through the subscription; the
 * source of the bus knows it by its id.
 *
 * Publishing uses an XPUB socket, not PUB, because that one sees the subscriptions of the other side: before they have
 * arrived, and after the proxy went away, messages would be dropped without a trace.
 */
export class ForeignProxy implements HostBus {
  readonly foreign = true;
  readonly detail: string;
  readonly #subscriber: Subscriber;
  readonly #publisher: XPublisher;
  readonly #writer: SocketWriter;
  readonly #options: HostBusOptions;
  readonly #listeners: (() => void)[] = [];
  /** Topics that the other side has subscribed to on the present connection. */
  readonly #topics = new Set<string>();
  #loops: Promise<unknown> = Promise.resolve();
  /** The proxy has come back, and other subscribers may not have found it yet. */
  #rejoining: NodeJS.Timeout | undefined;
  #lost = false;
  #closed = false;

  private constructor(options: HostBusOptions) {
    this.#options = options;
    this.detail = `existing proxy, publishes to ${options.xsub}, reads from ${options.xpub}`;
    this.#subscriber = new Subscriber({ receiveHighWaterMark: HIGH_WATER_MARK, linger: 0 });
    this.#publisher = new XPublisher({ sendHighWaterMark: HIGH_WATER_MARK, linger: LINGER_MS });
    // The socket keeps subscriptions over a lost connection, and would not tell of them when they come again.
    this.#publisher.verbosity = "allSubs";
    this.#writer = new SocketWriter(this.#publisher);
  }

  /** Resolves at once; `ready` tells when the proxy has answered. */
  static async open(options: HostBusOptions): Promise<ForeignProxy> {
    const proxy = new ForeignProxy(options);
    proxy.#publisher.events.on("disconnect", () => proxy.#forgetTopics());
    proxy.#publisher.connect(concrete(options.xsub, "connect"));
    proxy.#subscriber.connect(concrete(options.xpub, "connect"));
    proxy.#subscriber.subscribe();
    proxy.#loops = Promise.all([proxy.#read(), proxy.#watchTopics()]);
    return proxy;
  }

  get ready(): boolean {
    return this.#topics.size > 0 && !this.#lost && !this.#closed;
  }

  onReady(listener: () => void): void {
    this.#listeners.push(listener);
  }

  publish(frames: readonly string[]): Promise<void> {
    return this.#writer.write(frames);
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    clearTimeout(this.#rejoining);
    this.#subscriber.close();
    this.#publisher.close();
    await this.#loops;
  }

  async #read(): Promise<void> {
    for await (const frames of this.#subscriber) {
      try {
        const hold = this.#options.onMessage(frames);
        if (hold !== undefined) await hold;
      } catch (error) {
        if (this.#closed) return;
        this.#options.log.error({ err: error }, "bus: a message could not be taken in");
      }
    }
  }

  async #watchTopics(): Promise<void> {
    for await (const [frame] of this.#publisher) {
      if (frame === undefined || frame.length === 0) continue;
      const topic = frame.toString("latin1", 1);
      const before = this.ready;
      if (frame[0] === 1) this.#topics.add(topic);
      else if (frame[0] === 0) this.#topics.delete(topic);
      if (this.#lost && this.#topics.size > 0) this.#rejoin();
      if (before !== this.ready) this.#tell();
    }
  }

  #forgetTopics(): void {
    clearTimeout(this.#rejoining);
    this.#rejoining = undefined;
    if (this.#topics.size === 0) return;
    this.#lost = true;
    this.#topics.clear();
    this.#tell();
  }

  #rejoin(): void {
    this.#rejoining ??= setTimeout(() => {
      this.#rejoining = undefined;
      this.#lost = false;
      this.#tell();
    }, REJOIN_MS);
  }

  #tell(): void {
    for (const listener of this.#listeners) listener();
  }
}
