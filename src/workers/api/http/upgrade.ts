import type { MiddlewareHandler } from "hono";
import { type Bindings, bindingsOf, writeBindings } from "../../../core/access/bindings.ts";
import { type Caller, expiresMs } from "../../../core/access/grant.ts";
import { problem } from "../../../core/problem/problem.ts";
import { isUpgrade } from "../../../durable-objects/shell/sockets.ts";
import type { ApiEnv } from "./api-env.ts";
import { Refusal, upgradeRequired } from "./refusal.ts";

/**
 * Refuses plain requests. Runs before the query is checked: a caller without an upgrade needs the message about the upgrade
 * first, not the one about a parameter.
 *
 * @param what - completes "Open …"
 */
export const onlyUpgrades =
  (what: string): MiddlewareHandler<ApiEnv> =>
  async (c, next) => {
    if (!isUpgrade(c.req.raw)) throw upgradeRequired(what);
    await next();
  };

/** @throws Refusal, where a request for a WebSocket does not offer the subprotocol */
export function needsProtocol(request: Request, protocol: string, what: string): void {
  if (offeredBy(request)?.includes(protocol) === true) return;
  const detail = `${what} needs the subprotocol ${protocol}: send it as Sec-WebSocket-Protocol.`;
  throw new Refusal(problem("unknown-subprotocol", 400, "Unknown subprotocol", detail));
}

/** The subprotocols that a request for a WebSocket offers; `undefined`: it offers none. */
export const offeredBy = (request: Request): string[] | undefined =>
  request.headers
    .get("sec-websocket-protocol")
    ?.split(",")
    .map((name) => name.trim());

/** What an object has to know about the token that opens a socket. */
export type SocketGrant = Pick<Caller, "id" | "expires_at" | "session"> & Bindings;

/**
 * Adds the ids of the caller's token and session, so that the socket can be closed when one of them ends, and in `bound` the
 * names that the token is bound to, and in `expires` when it expires, in milliseconds since the epoch. None is a secret.
 */
export function withToken(query: URLSearchParams, grant: SocketGrant): URLSearchParams {
  const named = new URLSearchParams(query);
  named.set("token", grant.id);
  if (grant.session !== undefined) named.set("session", grant.session.id);
  const endsMs = expiresMs(grant);
  if (endsMs !== null) named.set("expires", String(endsMs));
  if (Object.keys(bindingsOf(grant)).length > 0) named.set("bound", writeBindings(grant));
  return named;
}

/** The object that holds the other end of a WebSocket. */
export interface SocketHolder {
  fetch(url: string, init: RequestInit): Promise<Response>;
}

/**
 * Connects a WebSocket to the object that holds its other end; no message passes through the Worker afterwards. The bearer
 * token stays in the Worker, which has already checked the caller's scopes.
 */
export function upgradeTo(
  holder: SocketHolder,
  path: string,
  query: URLSearchParams,
  request: Request,
  grant: SocketGrant,
): Promise<Response> {
  const headers = new Headers({ Upgrade: "websocket" });
  const protocols = request.headers.get("sec-websocket-protocol");
  if (protocols !== null) headers.set("Sec-WebSocket-Protocol", protocols);
  return holder.fetch(`https://object${path}?${withToken(query, grant)}`, { headers });
}
