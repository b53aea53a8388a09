import { env } from "cloudflare:workers";
import { RELAY_HEADER } from "../../src/durable-objects/signals/relay-calls.ts";
import { linkRelay } from "../../src/workers/bindings/objects.ts";
import { logOf } from "./log-under-test.ts";

/** The answer to a request for a link or a stream by `path`, from the object that holds it. */
export async function upgraded(ecosystem: string, path: string): Promise<Response> {
  const headers = { Upgrade: "websocket" };
  const answer = await logOf(ecosystem).fetch(path, { headers });
  const relay = answer.headers.get(RELAY_HEADER);
  return relay === null ? answer : linkRelay(env, ecosystem, relay).fetch(path, { headers });
}

/** The other end of a host's link. */
export async function linkOf(ecosystem: string, host: string): Promise<WebSocket> {
  const { status, webSocket } = await upgraded(ecosystem, `https://log/${ecosystem}/link?host=${host}`);
  if (webSocket === null) throw new Error(`no WebSocket, but ${status}`);
  webSocket.accept();
  return webSocket;
}
