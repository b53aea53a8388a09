import { Agent, request } from "node:http";
import { text } from "node:stream/consumers";
import type { ReachedEdge } from "./edge-under-test.ts";

/** Connections are kept: what is measured is the edge, not the opening of sockets. */
const agent = new Agent({ keepAlive: true, maxSockets: 128 });

export const postSignals = (edge: ReachedEdge, body: string): Promise<void> =>
  sendJson(edge, "POST", "/v1/default/signals", body);

/** Resolves when the edge has done it. @throws an error with the answer where it has not */
export function sendJson(edge: ReachedEdge, method: "POST" | "PUT", path: string, body: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const headers = {
      authorization: `Bearer ${edge.token}`,
      "content-type": "application/json",
      "content-length": Buffer.byteLength(body),
    };
    const call = request(edge.url + path, { method, agent, headers }, (response) => {
      const { statusCode = 0 } = response;
      if (statusCode < 300) {
        response.resume();
        return response.once("end", () => resolve());
      }
      return void text(response).then(
        (answer) => reject(new Error(`the edge answered ${statusCode}: ${answer}`)),
        reject,
      );
    });
    call.once("error", reject);
    call.end(body);
  });
}

export async function getJson(edge: ReachedEdge, path: string): Promise<unknown> {
  const response = await fetch(edge.url + path, { headers: { authorization: `Bearer ${edge.token}` } });
  if (!response.ok) throw new Error(`${path} answered ${response.status}`);
  return response.json();
}
