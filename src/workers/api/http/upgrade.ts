import type { Grant } from "../../../core/access/grant.ts";

/** Adds the id of the caller's token, so that the socket can be closed when the token is deleted. The id is no secret. */
export function withToken(query: URLSearchParams, { id }: Pick<Grant, "id">): URLSearchParams {
  const named = new URLSearchParams(query);
  named.set("token", id);
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
  grant: Pick<Grant, "id">,
): Promise<Response> {
  const headers = new Headers({ Upgrade: "websocket" });
  const protocols = request.headers.get("sec-websocket-protocol");
  if (protocols !== null) headers.set("Sec-WebSocket-Protocol", protocols);
  return holder.fetch(`https://object${path}?${withToken(query, grant)}`, { headers });
}
