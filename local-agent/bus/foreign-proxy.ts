import { Subscriber } from "zeromq";
import { concrete } from "../base/endpoint.ts";
import { HIGH_WATER_MARK, type HostBusOptions, REJOIN_MS } from "./host-bus.ts";
import { readTopicChange, SocketPair } from "./socket-pair.ts";

/**
 * Takes part in a bus whose proxy another process runs. Published messages come back through the subscription, where
 * the bus source recognises them by their ids.
 *
 * Publishing uses an XPUB socket, not PUB, because XPUB sees the subscriptions of the other side: before they have
 * arrived, and after the proxy went away, messages would be dropped silently.
 */
export class ForeignProxy extends SocketPair<Subscriber> {
  readonly foreign = true;
  readonly detail: string;
  /** Topics that the other side has subscribed to on the present connection. */
  readonly #topics = new Set<string>();
  /** The proxy has come back, and other subscribers may not have found it yet. */
  #rejoining: NodeJS.Timeout | undefined;
  #lost = false;
  readonly #onTopic: HostBusOptions["onTopic"];

  private constructor(options: HostBusOptions) {
    super(options, new Subscriber({ receiveHighWaterMark: HIGH_WATER_MARK, linger: 0 }));
    this.#onTopic = options.onTopic;
    this.detail = `existing proxy, publishes to ${options.xsub}, reads from ${options.xpub}`;
    // The socket keeps subscriptions over a lost connection, and by default does not report them when they come again.
    this.outgoing.verbosity = "allSubs";
  }

  /** Resolves at once; `ready` becomes true when the proxy has answered. */
  static async open(options: HostBusOptions): Promise<ForeignProxy> {
    const proxy = new ForeignProxy(options);
    proxy.outgoing.events.on("disconnect", () => proxy.#forgetTopics());
    proxy.outgoing.connect(concrete(options.xsub, "connect"));
    proxy.incoming.connect(concrete(options.xpub, "connect"));
    proxy.incoming.subscribe();
    proxy.read({ failure: "bus: a message cannot be taken in", watch: () => proxy.#watchTopics() });
    return proxy;
  }

  get ready(): boolean {
    return this.#topics.size > 0 && !this.#lost && !this.closed;
  }

  override async close(): Promise<void> {
    clearTimeout(this.#rejoining);
    await super.close();
  }

  async #watchTopics(): Promise<void> {
    for await (const [frame] of this.outgoing) {
      const change = readTopicChange(frame);
      if (change === undefined) continue;
      const { topic, subscribed } = change;
      const before = this.ready;
      if (subscribed) this.#topics.add(topic);
      else this.#topics.delete(topic);
      this.#onTopic(topic, subscribed);
      if (this.#lost && this.#topics.size > 0) this.#rejoin();
      if (before !== this.ready) this.readinessChanged();
    }
  }

  #forgetTopics(): void {
    clearTimeout(this.#rejoining);
    this.#rejoining = undefined;
    if (this.#topics.size === 0) return;
    this.#lost = true;
    this.#topics.clear();
    this.readinessChanged();
  }

  #rejoin(): void {
    this.#rejoining ??= setTimeout(() => {
      this.#rejoining = undefined;
      this.#lost = false;
      this.readinessChanged();
    }, REJOIN_MS);
  }
}
