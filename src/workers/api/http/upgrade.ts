import { type Bindings, bindingsOf, writeBindings } from "../../../core/access/bindings.ts";
import { type Caller, expiresMs } from "../../../core/access/grant.ts";

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
