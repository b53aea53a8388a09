/** Sockets are tagged with the token that opened them: a tag outlives hibernation and is found without a search. */
const tagOf = (token: string) => `token:${token}`;

/** Policy violation. @see RFC 6455, section 7.4.1 */
const POLICY_VIOLATION = 1008;
const TOKEN_GONE = "the token was deleted or has expired";

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

  /** @param beforeSocket - called before a socket is accepted: writes what the object needs when the socket wakes it */
  constructor(ctx: DurableObjectState, beforeSocket: () => void) {
    this.#ctx = ctx;
    this.#beforeSocket = beforeSocket;
  }

  /** @param tag - `undefined`: all of them */
  all(tag?: string): WebSocket[] {
    return tag === undefined ? this.#ctx.getWebSockets() : this.#ctx.getWebSockets(tag);
  }

  /**
   * Accepts the WebSocket that a request asks for.
   *
   * @param query - of the request's URL; `token` names the token
   * @param tags - of the object's own, beside that of the token
   */
  accept(query: URLSearchParams, ...tags: string[]): SocketOpening {
    this.#beforeSocket();
    const { 0: client, 1: server } = new WebSocketPair();
    const token = query.get("token");
    this.#ctx.acceptWebSocket(server, token === null ? tags : [...tags, tagOf(token)]);
    const answer = (protocol?: string) => {
      const headers = new Headers();
      if (protocol !== undefined) headers.set("Sec-WebSocket-Protocol", protocol);
      return new Response(null, { status: 101, webSocket: client, headers });
    };
    return { server, answer };
  }

  /** Closes the sockets that were opened with a deleted or expired token. @param closing - called before each is closed */
  closeToken(token: string, closing: (socket: WebSocket) => void): void {
    for (const socket of this.#ctx.getWebSockets(tagOf(token))) {
      closing(socket);
      socket.close(POLICY_VIOLATION, TOKEN_GONE);
    }
  }
}

export function isUpgrade(request: Request): boolean {
  return request.headers.get("Upgrade")?.toLowerCase() === "websocket";
}

/** Refuses a plain request where a WebSocket is opened. */
export const upgradeRequired = () => new Response(null, { status: 426 });

/** Closes our end after the other end closed. 1005 and 1006 stand for a close without a code, and may not be sent. */
export function closeBack(socket: WebSocket, code: number): void {
  socket.close(code === 1005 || code === 1006 ? 1000 : code);
}
