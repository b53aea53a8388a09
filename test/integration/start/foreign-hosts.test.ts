import { type IncomingHttpHeaders, request } from "node:http";
import { gunzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { WebSocket } from "ws";
import { runEdge } from "../../harness/running-edge.ts";

/** Asks with a `Host` of its own, which `fetch` does not allow. */
function ask(
  url: string,
  path: string,
  host: string,
  headers: Readonly<Record<string, string>> = {},
): Promise<{ status: number; headers: IncomingHttpHeaders; bytes: Buffer; body: string }> {
  return new Promise((resolve, reject) => {
    request(new URL(path, url), { headers: { Host: host, ...headers } }, (answer) => {
      const chunks: Buffer[] = [];
      answer.on("data", (chunk: Buffer) => chunks.push(chunk));
      answer.on("end", () => {
        const bytes = Buffer.concat(chunks);
        resolve({ status: answer.statusCode ?? 0, headers: answer.headers, bytes, body: bytes.toString() });
      });
    })
      .on("error", reject)
      .end();
  });
}

function openSocket(url: string, token: string, host: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const target = `${url.replace("http", "ws")}/v1/default/signals/stream`;
    const socket = new WebSocket(target, { headers: { Host: host, Authorization: `Bearer ${token}` } });
    socket.on("open", () => {
      resolve(101);
      socket.close();
    });
    socket.on("unexpected-response", (_request, { statusCode = 0 }) => resolve(statusCode));
    socket.on("error", reject);
  });
}

describe("the edge on this machine, asked by a page of the web whose name resolves to it", () => {
  it("refuses every path and WebSocket under a foreign host, and names the setting", async () => {
    const edge = await runEdge();
    const { port } = new URL(edge.url);
    for (const path of [
      "/",
      "/app/",
      "/app/assets/app.js",
      "/login",
      "/v1/sessions/current",
      "/healthz",
      "/readyz",
      "/docs",
      "/openapi.json",
      "/v1/default/status",
      "/nothing",
    ]) {
      const { status, body } = await ask(edge.url, path, `evil.example:${port}`);
      expect([path, status]).toEqual([path, 421]);
      expect(JSON.parse(body)).toMatchObject({
        type: "/problems/foreign-host",
        detail: expect.stringMatching(/"evil\.example:\d+".*GANGLION_ALLOWED_HOSTS/),
      });
    }
    expect(await openSocket(edge.url, edge.token, "evil.example")).toBe(421);
    for (const host of [`localhost:${port}`, "127.0.0.1", `[::1]:${port}`, "LOCALHOST", `edge.localhost:${port}`]) {
      expect((await ask(edge.url, "/healthz", host)).status).toBe(200);
      expect(await openSocket(edge.url, edge.token, host)).toBe(101);
    }
  });

  it("answers under the hosts of GANGLION_ALLOWED_HOSTS, and packs what is large for those who take gzip", async () => {
    const edge = await runEdge({ env: { GANGLION_ALLOWED_HOSTS: "ganglion.lan, other.example" } });
    expect((await ask(edge.url, "/healthz", "ganglion.lan:443")).status).toBe(200);
    expect((await ask(edge.url, "/healthz", "evil.example")).status).toBe(421);
    expect(await openSocket(edge.url, edge.token, "other.example")).toBe(101);

    const gzip = { "Accept-Encoding": "br, gzip;q=0.8" };
    const far = (path: string, headers = {}) => ask(edge.url, path, "ganglion.lan", headers);
    const packed = await far("/openapi.json", gzip);
    expect(packed.headers).toMatchObject({
      "content-encoding": "gzip",
      vary: expect.stringMatching(/Accept-Encoding/),
    });
    const plain = await far("/openapi.json");
    expect(gunzipSync(packed.bytes).equals(plain.bytes)).toBe(true);
    expect(packed.bytes.length).toBeLessThan(plain.bytes.length / 5);
    const [script = ""] = /\/app\/assets\/app-[\w-]+\.js/.exec((await far("/app/")).body) ?? [];
    expect((await far(script, gzip)).headers["content-encoding"]).toBe("gzip");
    // Nothing is packed that is small, that the caller does not take, or that goes to a program on the same machine.
    for (const answer of [
      plain,
      await far("/openapi.json", { "Accept-Encoding": "gzip;q=0, *" }),
      await far("/healthz", gzip),
      await far("/nothing", gzip),
      await ask(edge.url, "/openapi.json", new URL(edge.url).host, gzip),
    ])
      expect(answer.headers["content-encoding"]).toBeUndefined();
    const { etag = "" } = packed.headers;
    expect((await far("/openapi.json", { ...gzip, "If-None-Match": etag })).status).toBe(304);
  });
});
