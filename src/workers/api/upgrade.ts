import type { SignalLogCalls } from "./objects.ts";

export function isUpgrade(request: Request): boolean {
  return request.headers.get("upgrade")?.toLowerCase() === "websocket";
}

/**
 * Hands a WebSocket to the log, which holds its other end: the Worker is out of the way afterwards. The bearer token
 * stays here; what the caller may do has been decided.
 */
export function upgradeTo(
  log: SignalLogCalls,
  path: string,
  query: URLSearchParams,
  request: Request,
): Promise<Response> {
  const headers = new Headers({ Upgrade: "websocket" });
  const protocols = request.headers.get("sec-websocket-protocol");
  if (protocols !== null) headers.set("Sec-WebSocket-Protocol", protocols);
  return log.fetch(`https://log${path}?${query}`, { headers });
}
