import type { Logger } from "../base/log.ts";

export interface HostBusOptions {
  /** Where publishers connect. */
  readonly xsub: string;
  /** Where subscribers connect. */
  readonly xpub: string;
  /** Called with every message from the bus, in order; a promise holds the next one back. */
  readonly onMessage: (frames: readonly Buffer[]) => Promise<void> | undefined;
  readonly log: Logger;
}

/** The ZMQ bus of this host, as one who takes part in it. */
export interface HostBus {
  /** Somebody else runs the proxy: it may go away by itself. */
  readonly foreign: boolean;
  /** For people. */
  readonly detail: string;
  /** Whether it makes sense to publish: sent before anybody can listen, a message is lost without a trace. */
  readonly ready: boolean;
  /** Calls `listener` whenever `ready` changes. */
  onReady(listener: () => void): void;
  publish(frames: readonly string[]): Promise<void>;
  close(): Promise<void>;
}

/** Messages that may wait in a socket for each peer: the library's 1,000 are gone in a burst of a hundredth of a second. */
export const HIGH_WATER_MARK = 100_000;
/**
 * Subscribers that were connected to a proxy that has gone come back within their reconnect interval, which is 0.1 s by
 * default. What is published before they are back is lost to them.
 */
export const REJOIN_MS = 250;
/** How long what was published may take to leave after the end, in milliseconds. */
export const LINGER_MS = 500;
