import { XPublisher, XSubscriber } from "zeromq";
import { concrete } from "./endpoint.ts";
import { HIGH_WATER_MARK, type HostBus, type HostBusOptions, LINGER_MS, REJOIN_MS } from "./host-bus.ts";
import { SocketWriter } from "./socket-writer.ts";

const SUBSCRIBE_ALL = Buffer.from([1]);
/** Nobody may subscribe at all: then what is published is lost to nobody. */
const FIRST_SUBSCRIBER_MS = 2_000;

/**
 * The bus's proxy, run by the agent: publishers connect to its XSUB side, subscribers to its XPUB side. Every message
 * is forwarded frame by frame and then shown to the agent. What the agent publishes goes straight to the subscribers,
 * so it never comes back.
 */
export class OwnProxy implements HostBus {
  readonly foreign = false;
  readonly detail: string;
  readonly #xsub: XSubscriber;
  readonly #xpub: XPublisher;
  readonly #writer: SocketWriter;
  readonly #options: HostBusOptions;
  readonly #listeners: (() => void)[] = [];
  #loops: Promise<unknown> = Promise.resolve();
  #ready = false;
  #timer: NodeJS.Timeout | undefined;
  #subscribed = false;
  #closed = false;

  private constructor(options: HostBusOptions) {
    this.#options = options;
    this.detail = `own proxy, publishers at ${options.xsub}, subscribers at ${options.xpub}`;
    this.#xsub = new XSubscriber({ receiveHighWaterMark: HIGH_WATER_MARK, linger: 0 });
    this.#xpub = new XPublisher({ sendHighWaterMark: HIGH_WATER_MARK, linger: LINGER_MS });
    this.#writer = new SocketWriter(this.#xpub);
  }

  static async open(options: HostBusOptions): Promise<OwnProxy> {
    const proxy = new OwnProxy(options);
    try {
      await proxy.#xpub.bind(concrete(options.xpub, "bind"));
      await proxy.#xsub.bind(concrete(options.xsub, "bind"));
      await proxy.#xsub.send(SUBSCRIBE_ALL);
    } catch (error) {
      await proxy.close();
      throw error;
    }
    proxy.#loops = Promise.all([proxy.#forward(), proxy.#watchSubscribers()]);
    proxy.#readyIn(FIRST_SUBSCRIBER_MS);
    return proxy;
  }

  get ready(): boolean {
    return this.#ready && !this.#closed;
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
    clearTimeout(this.#timer);
    this.#xsub.close();
    this.#xpub.close();
    await this.#loops;
  }

  async #forward(): Promise<void> {
    for await (const frames of this.#xsub) {
      try {
        await this.#writer.write(frames);
        const hold = this.#options.onMessage(frames);
        if (hold !== undefined) await hold;
      } catch (error) {
        if (this.#closed) return;
        this.#options.log.error({ err: error }, "bus: a message could not be forwarded");
      }
    }
  }

  /** The socket keeps the subscriptions itself; here they only say that somebody is there. They must be read, though. */
  async #watchSubscribers(): Promise<void> {
    for await (const [frame] of this.#xpub) {
      if (frame?.[0] !== 1 || this.#subscribed) continue;
      this.#subscribed = true;
      if (!this.#ready) this.#readyIn(REJOIN_MS);
    }
  }

  #readyIn(ms: number): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      this.#ready = true;
      for (const listener of this.#listeners) listener();
    }, ms);
  }
}
