import { CHALLENGE, UNAUTHENTICATED } from "../../core/access/unauthenticated.ts";
import { PROBLEM_TYPE } from "../../core/problem/problem.ts";
import type { CallerToken } from "../../core/queue/queries.ts";
import { limitSocket } from "./limited-socket.ts";
import { PingAnswers } from "./ping-answers.ts";

/**
 * Sockets are tagged with the token that opened them, and with the session of a browser that did: a tag outlives hibernation
 * and is found without a search. Ids of tokens and sessions are random, so one list of those that ended holds both.
 */
const tagOf = (token: string) => `token:${token}`;

/** Policy violation. @see RFC 6455, section 7.4.1 */
const POLICY_VIOLATION = 1008;
const TOKEN_GONE = "the token was deleted or has expired";
/** Of a request for a socket, those that name who opens it. */
const OPENED_BY = ["token", "session"] as const;

/** Ended tokens that are remembered. The caches that still let one in forget it within half a minute. */
const MAX_ENDED = 1_000;

/** Closes a socket whose token was deleted or has expired. */
export const closeEnded = (socket: WebSocket): void => socket.close(POLICY_VIOLATION, TOKEN_GONE);

/** The token that a request for a socket names. */
export function tokenOfQuery(query: URLSearchParams): CallerToken | undefined {
  const id = query.get("token");
  const expires = query.get("expires");
  return id === null ? undefined : { id, expiresMs: expires === null ? null : Number(expires) };
}

/** What a WebSocket's opening asks for; the Worker has decided that the caller may open it. */
export interface SocketOpening {
  readonly server: WebSocket;
  /** @param protocol - subprotocol that was agreed on; `undefined`: none */
  readonly answer: (protocol?: string) => Response;
}

/**
 * The sockets of one object that hibernate with it, tagged with the token that opened them.
 */
export class TaggedSockets {
  readonly #ctx: DurableObjectState;
  readonly #beforeSocket: () => void;
  readonly #limited: boolean;
  #pings: PingAnswers | undefined;
  /** Tokens that ended lately. A request that was let in just before can arrive after its token's sockets were closed. */
  readonly #ended = new Set<string>();

  /**
   * @param beforeSocket - called before a socket is accepted: writes what the object needs when the socket wakes it
   * @param limited - whether the limits of the platform are in force, see platform-limits.ts
   */
  constructor(ctx: DurableObjectState, beforeSocket: () => void, limited = false) {
    this.#ctx = ctx;
    this.#beforeSocket = beforeSocket;
    this.#limited = limited;
    if (limited) for (const socket of ctx.getWebSockets()) limitSocket(socket);
  }

  /**
   * Pings are answered from now on, as {@link PingAnswers} says.
   *
   * @param quiet - the object may sleep soon: what was noted of pings is to outlive that
   */
  answerPings(quiet?: () => void): void {
    this.#pings = new PingAnswers(this.#ctx, quiet);
  }

  /** To be asked of each frame. @returns whether the frame was a ping, which is answered now */
  answersPing(socket: WebSocket, message: string | ArrayBuffer): boolean {
    return this.#pings?.answers(socket, message) ?? false;
  }

  /** @param tag - `undefined`: all of them */
  all(tag?: string): WebSocket[] {
    return tag === undefined ? this.#ctx.getWebSockets() : this.#ctx.getWebSockets(tag);
  }

  /**
   * Accepts the WebSocket that a request asks for.
   *
   * @param query - of the request's URL; `token` names the token, `session` the session of a browser
   * @param tags - of the object's own, beside that of the token
   */
  accept(query: URLSearchParams, ...tags: string[]): SocketOpening {
    this.#beforeSocket();
    this.#pings?.busy();
    const { 0: client, 1: server } = new WebSocketPair();
    this.#ctx.acceptWebSocket(server, [...tags, ...openersOf(query).map(tagOf)]);
    if (this.#limited) limitSocket(server);
    const answer = (protocol?: string) => {
      const headers = new Headers();
      if (protocol !== undefined) headers.set("Sec-WebSocket-Protocol", protocol);
      return new Response(null, { status: 101, webSocket: client, headers });
    };
    return { server, answer };
  }

  /** How many sockets a token has open here. */
  countOf(token: string): number {
    return this.#ctx.getWebSockets(tagOf(token)).length;
  }

  /** Whether a token has expired, or was deleted as far as this object was told. */
  isOver(token: CallerToken | undefined): boolean {
    if (token === undefined) return false;
    return this.#ended.has(token.id) || (token.expiresMs !== null && token.expiresMs <= Date.now());
  }

  /** The answer to a request for a socket whose token has ended since the Worker let it in; `undefined`: it may open. */
  refusal(query: URLSearchParams): Response | undefined {
    const over = this.isOver(tokenOfQuery(query)) || openersOf(query).some((id) => this.#ended.has(id));
    return over ? this.ended() : undefined;
  }

  /** The answer to a request whose token has ended. */
  ended(): Response {
    const headers = { ...CHALLENGE, "Content-Type": PROBLEM_TYPE };
    return Response.json(UNAUTHENTICATED, { status: UNAUTHENTICATED.status, headers });
  }

  /** Closes the sockets that were opened with a deleted or expired token, or in a session that is over. @param closing - called before each is closed */
  closeToken(token: string, closing: (socket: WebSocket) => void): void {
    // A Set keeps the order of insertion: the first one is the oldest.
    const [oldest] = this.#ended.size < MAX_ENDED ? [] : this.#ended;
    if (oldest !== undefined) this.#ended.delete(oldest);
    this.#ended.add(token);
    for (const socket of this.#ctx.getWebSockets(tagOf(token))) {
      closing(socket);
      closeEnded(socket);
    }
  }
}

function openersOf(query: URLSearchParams): string[] {
  return OPENED_BY.flatMap((name) => query.get(name) ?? []);
}

export function isUpgrade(request: Request): boolean {
  return request.headers.get("Upgrade")?.toLowerCase() === "websocket";
}

/** Refuses a plain request where a WebSocket is opened. */
export const upgradeRequired = () => new Response(null, { status: 426 });

/** Closes our end after the other end closed. 1005 and 1006 stand for a close without a code, and may not be sent. */
export function closeBack(socket: WebSocket, code: number, reason?: string): void {
  socket.close(code === 1005 || code === 1006 ? 1000 : code, reason);
}
