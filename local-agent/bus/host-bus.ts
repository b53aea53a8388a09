import type { Logger } from "../base/log.ts";

export interface HostBusOptions {
  /** Address for publishers. */
  readonly xsub: string;
  /** Address for subscribers. */
  readonly xpub: string;
  /** Called with every message of the bus, in order. A returned promise delays the next message. */
  readonly onMessage: (frames: readonly Buffer[]) => Promise<void> | undefined;
  /** Called when the first program subscribes to a topic, a prefix of messages, and when the last one no longer does. */
  readonly onTopic: (topic: string, subscribed: boolean) => void;
  readonly log: Logger;
}

/** A connection to the ZMQ bus of this host. */
export interface HostBus {
  /** Another process runs the proxy, which may go away by itself. */
  readonly foreign: boolean;
  /** One line for people. */
  readonly detail: string;
  /** Whether messages can be received: earlier ones would be lost silently. */
  readonly ready: boolean;
  /** Calls `listener` whenever `ready` changes. */
  onReady(listener: () => void): void;
  publish(frames: readonly string[]): Promise<void>;
  close(): Promise<void>;
}

/** Messages that may wait in a socket for each peer. The library's default of 1,000 is exceeded within 10 ms of a burst. */
export const HIGH_WATER_MARK = 100_000;
/**
 * Pause after a proxy has come back: its subscribers reconnect within 0.1 s by default, and miss all messages that are
 * published before.
 */
export const REJOIN_MS = 250;
/** Time for published messages to be sent after the socket was closed, in milliseconds. */
export const LINGER_MS = 500;
