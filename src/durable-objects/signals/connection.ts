import { Subscription, type SubscriptionSnapshot } from "../../core/signals/log/subscription.ts";

/** What the agent at the other end of a link reported of itself; see core/hosts/link-claim.ts. */
export interface LinkAgent {
  readonly installation: string | null;
  readonly instance: string | null;
  readonly place: string;
  readonly replaced: readonly string[];
}

/** The part of a connection that survives hibernation: the host that opened the socket, and the state of its subscription. */
interface Attachment {
  /** `null`: a stream, which only reads. */
  readonly host: string | null;
  readonly subscription: SubscriptionSnapshot | null;
  /** Missing on sockets that an older version of the edge opened. */
  readonly openedMs?: number;
  readonly agent?: LinkAgent;
}

/** A link or a stream that is open. */
export interface Connection {
  readonly socket: WebSocket;
  readonly host: string | null;
  readonly openedMs: number;
  readonly agent: LinkAgent;
  subscription: Subscription | undefined;
  /** A read for this subscriber is running or due. */
  behind: boolean;
  /** First number of a refused batch that was not sent again yet, by producer. Later batches are refused too: appending them would break the order. */
  readonly refused: Map<string, number>;
}

const UNNAMED: LinkAgent = { installation: null, instance: null, place: "", replaced: [] };

/** Restores a connection from its socket after hibernation; `undefined` where the socket has no attachment. */
export function restoreConnection(socket: WebSocket): Connection | undefined {
  const attachment: Attachment | null = socket.deserializeAttachment();
  if (attachment === null) return undefined;
  const { host, openedMs = 0, subscription, agent } = attachment;
  return newConnection(
    socket,
    host,
    openedMs,
    agent,
    subscription === null ? undefined : new Subscription(subscription),
  );
}

export function newConnection(
  socket: WebSocket,
  host: string | null,
  openedMs: number,
  agent: LinkAgent = UNNAMED,
  subscription?: Subscription,
): Connection {
  return { socket, host, openedMs, agent, subscription, behind: false, refused: new Map() };
}

/** Writes the state of the connection into its socket, so that it survives hibernation. */
export function saveConnection({ socket, host, openedMs, agent, subscription }: Connection): void {
  const attachment: Attachment = { host, openedMs, subscription: subscription?.snapshot() ?? null, agent };
  socket.serializeAttachment(attachment);
}
