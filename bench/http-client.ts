import { Agent, request } from "node:http";
import type { ReachedEdge } from "./edge-under-test.ts";

/** Connections are kept: what is measured is the edge, not the opening of sockets. */
const agent = new Agent({ keepAlive: true, maxSockets: 128 });

export function postSignals(edge: ReachedEdge, body: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const call = request(
      `${edge.url}/v1/default/signals`,
      {
        method: "POST",
        agent,
        headers: {
          authorization: `Bearer ${edge.token}`,
          "content-type": "application/json",
          "content-length": Buffer.byteLength(body),
        },
      },
      (response) => {
        response.resume();
        response.once("end", () =>
          response.statusCode === 202 ? resolve() : reject(new Error(`the edge answered ${response.statusCode}`)),
        );
      },
    );
    call.once("error", reject);
    call.end(body);
  });
}

export async function getJson(edge: ReachedEdge, path: string): Promise<unknown> {
  const response = await fetch(edge.url + path, { headers: { authorization: `Bearer ${edge.token}` } });
  if (!response.ok) throw new Error(`${path} answered ${response.status}`);
  return response.json();
}
