import type { Grant } from "../../../core/access/grant.ts";

export function isUpgrade(request: Request): boolean {
  return request.headers.get("upgrade")?.toLowerCase() === "websocket";
}

/** Says for whom a socket is opened, so that it can be closed when the token goes. Its id is no secret. */
export function withToken(query: URLSearchParams, { id }: Pick<Grant, "id">): URLSearchParams {
  const named = new URLSearchParams(query);
  named.set("token", id);
  return named;
}

/** Whatever holds the other end of a WebSocket. */
export interface SocketHolder {
  fetch(url: string, init: RequestInit): Promise<Response>;
}

/**
 * Hands a WebSocket to the object that holds its other end: the Worker is out of the way afterwards. The bearer token
 * stays here; what the caller may do has been decided.
 */
export function upgradeTo(
  holder: SocketHolder,
  path: string,
  query: URLSearchParams,
  request: Request,
  grant: Pick<Grant, "id">,
): Promise<Response> {
  const headers = new Headers({ Upgrade: "websocket" });
  const protocols = request.headers.get("sec-websocket-protocol");
  if (protocols !== null) headers.set("Sec-WebSocket-Protocol", protocols);
  return holder.fetch(`https://object${path}?${withToken(query, grant)}`, { headers });
}
