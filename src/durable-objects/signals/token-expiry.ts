import type { Connection } from "./connection.ts";

/** Finds the connections whose token has expired, and looks at them only where one may have. */
export class TokenExpiry {
  /** No token of a connection expires before this time. */
  #nextMs = Number.POSITIVE_INFINITY;

  opened({ token }: Connection): void {
    this.#nextMs = Math.min(this.#nextMs, token.expiresMs ?? Number.POSITIVE_INFINITY);
  }

  /**
   * @param atMs - default: the time of the clock
   * @returns those of the open connections whose token has expired
   */
  expired(open: ReadonlyMap<WebSocket, Connection>, atMs?: number): Connection[] {
    // Each frame comes by here, and most tokens never expire: then no clock is read.
    if (this.#nextMs === Number.POSITIVE_INFINITY) return [];
    const nowMs = atMs ?? Date.now();
    if (nowMs < this.#nextMs) return [];
    this.#nextMs = Number.POSITIVE_INFINITY;
    return [...open.values()].filter((connection) => {
      const { expiresMs } = connection.token;
      if (expiresMs !== null && expiresMs <= nowMs) return true;
      this.opened(connection);
      return false;
    });
  }
}
