import { type IncomingMessage, request as requestOverHttp } from "node:http";
import { request as requestOverHttps } from "node:https";
import { createGunzip } from "node:zlib";
import type { Fetch } from "./exchange.ts";

/**
 * What calls need of `fetch`, in Node alone: Node takes longer to load its own than everything else that a short-lived command
 * does. A redirection is not followed but named: the token belongs to the edge that was given.
 */
export const nodeFetch: Fetch = (url, { method, headers, signal, body }) =>
  new Promise((resolve, reject) => {
    const fail = (error: unknown) => reject(signal.aborted ? signal.reason : error);
    const send = url.protocol === "https:" ? requestOverHttps : requestOverHttp;
    const request = send(url, { method, headers: { "Accept-Encoding": "gzip", ...headers }, signal }, (response) => {
      answerFrom(url, response).then(resolve, fail);
    });
    request.once("error", fail);
    request.end(body);
  });

async function answerFrom(url: URL, response: IncomingMessage) {
  const { statusCode: status = 0, headers } = response;
  if (status >= 300 && status < 400 && headers.location !== undefined) {
    response.destroy();
    throw new Error(`it redirects to ${addressOf(headers.location, url)}: give that URL`);
  }
  const chunks: Buffer[] = [];
  for await (const chunk of headers["content-encoding"] === "gzip" ? response.pipe(createGunzip()) : response)
    chunks.push(chunk);
  const text = new TextDecoder().decode(Buffer.concat(chunks));
  return {
    ok: status >= 200 && status < 300,
    status,
    headers: {
      get: (name: string) => {
        const value = headers[name.toLowerCase()];
        return value === undefined ? null : String(value);
      },
    },
    text: async () => text,
  };
}

const addressOf = (location: string, url: URL) =>
  URL.canParse(location, url.href) ? new URL(location, url).origin : "another address";
