import { setTimeout as pause } from "node:timers/promises";
import { XSubscriber } from "zeromq";
import { concrete, isListening } from "../base/endpoint.ts";
import { HIGH_WATER_MARK, type HostBusOptions, REJOIN_MS } from "./host-bus.ts";
import { readTopicChange, SocketPair } from "./socket-pair.ts";

const SUBSCRIBE_ALL = Buffer.from([1]);
/** Longest wait for a first subscriber: without subscribers, no published message is lost. */
const FIRST_SUBSCRIBER_MS = 2_000;

/** Number of checks whether the addresses are free again, and the pause between two of them. */
const FREE_ROUNDS = 100;
const FREE_MS = 10;

/**
 * The bus's proxy, run by the agent: publishers connect to its XSUB side, subscribers to its XPUB side. Every message
 * is forwarded frame by frame and then passed to the agent. Messages of the agent go straight to the subscribers, so
 * they never come back.
 */
export class OwnProxy extends SocketPair<XSubscriber> {
  readonly foreign = false;
  readonly detail: string;
  readonly #options: HostBusOptions;
  #ready = false;
  #timer: NodeJS.Timeout | undefined;
  #subscribed = false;

  private constructor(options: HostBusOptions) {
    super(options, new XSubscriber({ receiveHighWaterMark: HIGH_WATER_MARK, linger: 0 }));
    this.#options = options;
    this.detail = `own proxy, publishers at ${options.xsub}, subscribers at ${options.xpub}`;
  }

  static async open(options: HostBusOptions): Promise<OwnProxy> {
    const proxy = new OwnProxy(options);
    try {
      await proxy.outgoing.bind(concrete(options.xpub, "bind"));
      await proxy.incoming.bind(concrete(options.xsub, "bind"));
      await proxy.incoming.send(SUBSCRIBE_ALL);
    } catch (error) {
      await proxy.close();
      throw error;
    }
    proxy.read({
      forward: (frames) => proxy.publish(frames),
      failure: "bus: a message cannot be forwarded",
      watch: () => proxy.#watchSubscribers(),
    });
    proxy.#readyIn(FIRST_SUBSCRIBER_MS);
    return proxy;
  }

  get ready(): boolean {
    return this.#ready && !this.closed;
  }

  override async close(): Promise<void> {
    clearTimeout(this.#timer);
    await super.close();
    // The library closes its sockets later, without an event. A bus that is opened again at once would find half of the
    // old one.
    const addresses = [this.#options.xsub, this.#options.xpub];
    for (let round = 0; round < FREE_ROUNDS; round++) {
      const listening = await Promise.all(addresses.map(isListening));
      if (!listening.some((each) => each)) return;
      await pause(FREE_MS);
    }
  }

  /** The socket applies the subscriptions itself. They must be read all the same, and show what subscribers there are. */
  async #watchSubscribers(): Promise<void> {
    for await (const [frame] of this.outgoing) {
      const change = readTopicChange(frame);
      if (change === undefined) continue;
      this.#options.onTopic(change.topic, change.subscribed);
      if (!change.subscribed || this.#subscribed) continue;
      this.#subscribed = true;
      if (!this.#ready) this.#readyIn(REJOIN_MS);
    }
  }

  #readyIn(ms: number): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      this.#ready = true;
      this.readinessChanged();
    }, ms);
  }
}
