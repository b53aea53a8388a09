import { ALIVE_MS } from "../../core/hosts/link-claim.ts";
import type { InFlightAccount } from "../../core/signals/log/in-flight.ts";
import { Subscription, type SubscriptionSnapshot } from "../../core/signals/log/subscription.ts";
import { MinuteMeter, RefusalMeter } from "../../core/wire/refusal-meter.ts";

/** A fraction of the time after which a silent link counts as lost: more often, a busy object would write all the time. */
const KEPT_EVERY_MS = ALIVE_MS / 4;

/** Subscriptions that one connection may ask for within a minute. */
export const MAX_SUBSCRIPTIONS = 120;

/** What the agent at the other end of a link reported of itself; see core/hosts/link-claim.ts. */
export interface LinkAgent {
  readonly installation: string | null;
  readonly instance: string | null;
  readonly place: string;
  readonly replaced: readonly string[];
  /** The token may link as any host, beside the owner of the name. Missing: it may not. */
  readonly admin?: boolean;
}

/** The part of a connection that survives hibernation: the host that opened the socket, and the state of its subscription. */
interface Attachment {
  /** `null`: a stream, which only reads. */
  readonly host: string | null;
  readonly subscription: SubscriptionSnapshot | null;
  /** Missing on sockets that an older version of the edge opened. */
  readonly openedMs?: number;
  /** Missing where nothing has been heard since. */
  readonly heardMs?: number;
  readonly agent?: LinkAgent;
  /** Id of the token. */
  readonly token?: string;
  readonly expiresMs?: number | null;
  readonly sources?: readonly string[];
  readonly progressMs?: number;
  readonly prompted?: true;
}

/** The token that opened a connection. */
export interface ConnectionToken {
  readonly id: string;
  /** In milliseconds since the epoch; `null`: never. */
  readonly expiresMs: number | null;
  /** Sources that it is bound to; `undefined`: it is not bound. */
  readonly sources: readonly string[] | undefined;
}

/** What a connection may be sent. */
export interface Flow {
  /** What the socket has in flight, in the account of its token and of the isolate. */
  readonly account: InFlightAccount;
  /** When the subscriber last acknowledged something, or had nothing to acknowledge. */
  progressMs: number;
  /** Understands a request to acknowledge: agents, and readers of a stream that said so. Others know signals alone. */
  readonly prompted: boolean;
}

/** A link or a stream that is open. */
export interface Connection {
  readonly socket: WebSocket;
  readonly host: string | null;
  readonly openedMs: number;
  /** When this object last answered a ping, or opened the connection; the runtime knows of the pings that it has answered. */
  heardMs: number;
  /** {@link heardMs} as the socket keeps it through hibernation. */
  keptMs: number;
  readonly agent: LinkAgent;
  readonly token: ConnectionToken;
  readonly flow: Flow;
  readonly refusals: RefusalMeter;
  readonly subscriptions: MinuteMeter;
  subscription: Subscription | undefined;
  /** A read for this subscriber is running or due. */
  behind: boolean;
  /** Ends when the subscription that waits for a log in another object has begun; `undefined`: none waits. */
  subscribing: Promise<void> | undefined;
  /** Characters of the frames that wait for that. */
  waiting: number;
  /** First number of a refused batch that was not sent again yet, by producer. Later batches are refused too: appending them would break the order. */
  readonly refused: Map<string, number>;
}

const UNNAMED: LinkAgent = { installation: null, instance: null, place: "", replaced: [] };

/**
 * Restores a connection from its socket after hibernation; `undefined` where the socket has no attachment.
 *
 * @param accountOf - opens the account of a token
 */
export function restoreConnection(
  socket: WebSocket,
  accountOf: (token: string) => InFlightAccount,
): Connection | undefined {
  const attachment: Attachment | null = socket.deserializeAttachment();
  if (attachment === null) return undefined;
  const { host, openedMs = 0, subscription: snapshot, token: id = "", progressMs = Date.now(), agent } = attachment;
  const token = { id, expiresMs: attachment.expiresMs ?? null, sources: attachment.sources };
  const flow = { account: accountOf(id), progressMs, prompted: attachment.prompted === true };
  const subscription = snapshot === null ? undefined : new Subscription(snapshot);
  flow.account.set(subscription?.bytes ?? 0);
  const connection = newConnection(socket, host, openedMs, token, flow, agent, subscription);
  connection.heardMs = connection.keptMs = attachment.heardMs ?? openedMs;
  return connection;
}

export function newConnection(
  socket: WebSocket,
  host: string | null,
  openedMs: number,
  token: ConnectionToken,
  flow: Flow,
  agent: LinkAgent = UNNAMED,
  subscription?: Subscription,
): Connection {
  const meters = { refusals: new RefusalMeter(), subscriptions: new MinuteMeter(MAX_SUBSCRIPTIONS) };
  const state = { subscription, behind: false, subscribing: undefined, waiting: 0, refused: new Map() };
  return { ...meters, ...state, socket, host, openedMs, heardMs: openedMs, keptMs: openedMs, token, flow, agent };
}

/** The object may sleep soon: which links were heard of is to be known when it wakes. */
export function keepHeard(connections: Iterable<Connection>): void {
  for (const connection of connections)
    if (connection.heardMs - connection.keptMs >= KEPT_EVERY_MS) saveConnection(connection);
}

/** Writes the state of the connection into its socket, so that it survives hibernation. */
export function saveConnection(connection: Connection): void {
  const { socket, host, openedMs, heardMs, token, flow, agent, subscription } = connection;
  connection.keptMs = heardMs;
  const { id, expiresMs, sources } = token;
  const attachment: Attachment = {
    host,
    openedMs,
    heardMs,
    subscription: subscription?.snapshot() ?? null,
    agent,
    token: id,
    expiresMs,
    ...(sources === undefined ? {} : { sources }),
    progressMs: flow.progressMs,
    ...(flow.prompted ? { prompted: true as const } : {}),
  };
  socket.serializeAttachment(attachment);
}
