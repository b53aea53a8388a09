import type { Connection } from "./connection.ts";

export interface StreamKeepAliveOptions {
  /** How often a quiet stream is sent something, in milliseconds; 0: never, because each time wakes the object. */
  readonly everyMs: number;
  readonly transmit: (connection: Connection, frame: string) => void;
  /** Has {@link StreamKeepAlive.tick} called by this time, in milliseconds since the epoch. */
  readonly wakeBy: (atMs: number) => void;
}

/** Keeps quiet streams open through proxies, which close connections on which nothing passes. Links send pings themselves. */
export class StreamKeepAlive {
  readonly #options: StreamKeepAliveOptions;
  readonly #sentMs = new WeakMap<Connection, number>();

  constructor(options: StreamKeepAliveOptions) {
    this.#options = options;
  }

  opened(nowMs: number): void {
    const { everyMs, wakeBy } = this.#options;
    if (everyMs > 0) wakeBy(nowMs + everyMs);
  }

  tick(connections: Iterable<Connection>, nowMs: number): void {
    const { everyMs, transmit } = this.#options;
    if (everyMs === 0) return;
    let streams = false;
    for (const connection of connections) {
      const { host, openedMs, subscription } = connection;
      if (host !== null || subscription === undefined) continue;
      streams = true;
      // Something is on its way already, or was not long ago.
      if (subscription.bytes > 0 || nowMs - (this.#sentMs.get(connection) ?? openedMs) < everyMs) continue;
      this.#sentMs.set(connection, nowMs);
      transmit(connection, `{"type":"signals","last":${subscription.sent},"signals":[]}`);
    }
    if (streams) this.opened(nowMs);
  }
}
