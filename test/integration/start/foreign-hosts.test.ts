import { request } from "node:http";
import { describe, expect, it } from "vitest";
import { WebSocket } from "ws";
import { runEdge } from "../../harness/running-edge.ts";

/** Asks with a `Host` of its own, which `fetch` does not allow. */
function ask(url: string, path: string, host: string): Promise<{ status: number; body: string }> {
  return new Promise((resolve, reject) => {
    request(new URL(path, url), { headers: { Host: host } }, (answer) => {
      let body = "";
      answer.setEncoding("utf8").on("data", (text: string) => (body += text));
      answer.on("end", () => resolve({ status: answer.statusCode ?? 0, body }));
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

  it("answers under the hosts of GANGLION_ALLOWED_HOSTS", async () => {
    const edge = await runEdge({ env: { GANGLION_ALLOWED_HOSTS: "ganglion.lan, other.example" } });
    expect((await ask(edge.url, "/healthz", "ganglion.lan:443")).status).toBe(200);
    expect((await ask(edge.url, "/healthz", "evil.example")).status).toBe(421);
    expect(await openSocket(edge.url, edge.token, "other.example")).toBe(101);
  });
});
