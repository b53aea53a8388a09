import type { LockEdge } from "./locks-over.ts";

export interface LockChannelOptions {
  readonly url: string;
  readonly token: string;
  readonly ecosystem: string;
  /** Called once when a channel that was open is lost or closed. */
  readonly onClose: () => void;
}

/** An open channel, whatever it is made of. */
export interface OpenLockChannel extends LockEdge {
  close(): void;
}
