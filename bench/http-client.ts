import { Agent, request } from "node:http";
import { text } from "node:stream/consumers";
import type { ReachedEdge } from "./edge-under-test.ts";

/** Connections are kept: what is measured is the edge, not the opening of sockets. */
const agent = new Agent({ keepAlive: true, maxSockets: 128 });

export const postSignals = (edge: ReachedEdge, body: string): Promise<void> =>
  sendJson(edge, "POST", "/v1/default/signals", body);

/** Resolves when the edge has done it. @throws an error with the answer where it has not */
export async function sendJson(edge: ReachedEdge, method: "POST" | "PUT", path: string, body: string): Promise<void> {
  await exchange(edge, method, path, body);
}

export const getJson = (edge: ReachedEdge, path: string): Promise<unknown> => askJson(edge, "GET", path);

/** The document of the answer. @throws an error with the answer where it is a refusal */
export async function askJson(edge: ReachedEdge, method: string, path: string, body?: object): Promise<unknown> {
  return JSON.parse(await exchange(edge, method, path, body === undefined ? undefined : JSON.stringify(body)));
}

function exchange({ url, token }: ReachedEdge, method: string, path: string, body?: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const headers = {
      authorization: `Bearer ${token}`,
      ...(body !== undefined && { "content-type": "application/json", "content-length": Buffer.byteLength(body) }),
    };
    const call = request(url + path, { method, agent, headers }, (response) => {
      const { statusCode = 0 } = response;
      text(response).then((answer) => {
        if (statusCode < 300) resolve(answer);
        else reject(new Error(`the edge answered ${statusCode} to ${path}: ${answer}`));
      }, reject);
    });
    call.once("error", reject);
    call.end(body);
  });
}
