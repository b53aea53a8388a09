import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { gzipSync } from "node:zlib";
import { describe, expect, it, onTestFinished } from "vitest";
import { type Connection, exchange } from "../../../src/client/http/exchange.ts";
import { nodeFetch } from "../../../src/client/http/node-fetch.ts";

interface Request {
  readonly method: string | undefined;
  readonly headers: NodeJS.Dict<string | string[]>;
  readonly text: string;
}

async function serve(answer: (response: ServerResponse) => void) {
  const received: Request[] = [];
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    received.push({ method: request.method, headers: request.headers, text: Buffer.concat(chunks).toString() });
    answer(response);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(
    () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  );
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return { received, connection: { url, token: "t", fetch: nodeFetch } satisfies Connection };
}

describe("a call over node:http", () => {
  it("sends its body with its length, and reads the answer", async () => {
    const { received, connection } = await serve((response) => response.end('{"a":"ö"}'));
    expect(await exchange(connection, { method: "POST", path: "/x", body: { b: "ä" } })).toEqual({ a: "ö" });
    expect(received[0]).toMatchObject({
      method: "POST",
      text: '{"b":"ä"}',
      headers: { authorization: "Bearer t", "content-type": "application/json", "content-length": "10" },
    });
  });

  it.each(["GET", "DELETE", "POST"] as const)("sends %s without a body, and takes an empty answer", async (method) => {
    const { received, connection } = await serve((response) => response.writeHead(204).end());
    expect(await exchange(connection, { method, path: "/x" })).toBeUndefined();
    expect([received[0]?.method, received[0]?.text]).toEqual([method, ""]);
  });

  it("unpacks an answer that is compressed, and passes over a byte-order mark", async () => {
    const { connection } = await serve((response) =>
      response.writeHead(200, { "Content-Encoding": "gzip" }).end(gzipSync('\ufeff{"a":1}')),
    );
    expect(await exchange(connection, { path: "/x" })).toEqual({ a: 1 });
  });

  it("passes on a refusal with the wait that it asks for", async () => {
    const problem = { type: "/problems/overloaded", title: "Too much at once", status: 503 };
    const { connection } = await serve((response) =>
      response.writeHead(503, { "Retry-After": "2" }).end(JSON.stringify(problem)),
    );
    await expect(exchange(connection, { path: "/x" })).rejects.toMatchObject({ problem, retryAfterMs: 2_000 });
  });

  it("follows no redirection, to which the token does not belong, and says where the edge is", async () => {
    const { received, connection } = await serve((response) =>
      response.writeHead(301, { Location: "https://edge.example/v1?x" }).end(),
    );
    await expect(exchange(connection, { path: "/x" })).rejects.toThrow(
      "it redirects to https://edge.example: give that URL",
    );
    expect(received).toHaveLength(1);
  });

  it("says that nobody listens, that an answer broke off, and that none came in time", async () => {
    const gone = await serve((response) => {
      response.writeHead(200, { "Content-Length": "10" }).write("{");
      response.socket?.end();
    });
    await expect(exchange(gone.connection, { path: "/x" })).rejects.toThrow(/no edge answers at .* \(ECONNRESET\)/);
    const spoiled = await serve((response) => response.writeHead(200, { "Content-Encoding": "gzip" }).end("{}"));
    await expect(exchange(spoiled.connection, { path: "/x" })).rejects.toThrow("Z_DATA_ERROR");
    const silent = await serve(() => undefined);
    await expect(exchange(silent.connection, { path: "/x", timeoutMs: 1 })).rejects.toThrow("no answer in time");
    const nobody = { ...silent.connection, url: "http://127.0.0.1:1" };
    await expect(exchange(nobody, { path: "/x" })).rejects.toThrow("connection refused");
  });

  it("ends with the reason of a signal that is aborted", async () => {
    const stopping = new AbortController();
    const { connection } = await serve(() => stopping.abort(new Error("enough")));
    await expect(exchange(connection, { path: "/x", signal: stopping.signal })).rejects.toThrow("enough");
  });
});
