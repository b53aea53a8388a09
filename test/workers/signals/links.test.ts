import { evictDurableObject } from "cloudflare:test";
import { describe, expect, it, vi } from "vitest";
import { call, freshEcosystem, post, problemOf } from "../api/calls.ts";
import { logOf } from "../log-under-test.ts";

async function aToken(more: Record<string, unknown> = {}): Promise<{ token: string; id: string }> {
  const scopes = ["signals:write", "signals:read"];
  const response = await post("/v1/tokens", { name: "host", scopes, ecosystems: ["*"], ...more });
  return (await response.json()) as { token: string; id: string };
}

interface Who {
  readonly host?: string;
  readonly installation?: string;
  readonly instance?: string;
  readonly place?: string;
  readonly take_over?: "1";
}

function link(eco: string, token: string, { host = "gpu-01", ...who }: Who = {}): Promise<Response> {
  const query = new URLSearchParams({ host, ...who });
  return call(`/v1/${eco}/link?${query}`, { token, headers: { Upgrade: "websocket" } });
}

/** Opens a link, and resolves with how it is closed. */
async function open(
  eco: string,
  token: string,
  who?: Who,
): Promise<{ socket: WebSocket; closed: Promise<CloseEvent> }> {
  const response = await link(eco, token, who);
  const socket = response.webSocket;
  if (socket === null) throw new Error(`refused: ${response.status} ${await response.text()}`);
  socket.accept();
  return { socket, closed: new Promise((resolve) => socket.addEventListener("close", resolve)) };
}

describe("the link of a host", () => {
  it("is refused to a token other than the one that linked it first", async () => {
    const eco = freshEcosystem();
    const [first, second] = [await aToken(), await aToken()];
    const { socket, closed } = await open(eco, first.token, { place: "rack-3:/var/lib/ganglion" });
    socket.close();
    await closed;
    const problem = await problemOf(await link(eco, second.token));
    expect(problem).toMatchObject({ status: 409, type: "/problems/host-taken", place: "rack-3:/var/lib/ganglion" });
    expect(problem.detail).toContain("ganglion hosts gpu-01 --release");
    await open(eco, second.token, { host: "gpu-02" });
  });

  it("opens for another token once the name is released, by an administrator alone", async () => {
    const eco = freshEcosystem();
    const [first, second] = [await aToken(), await aToken()];
    await open(eco, first.token);
    const release = (token?: string) =>
      call(`/v1/${eco}/agents/gpu-01/owner`, { method: "DELETE", ...(token === undefined ? {} : { token }) });
    expect((await release(second.token)).status).toBe(403);
    expect((await release()).status).toBe(204);
    expect((await release()).status).toBe(404);
    await open(eco, second.token);
  });

  it("opens for another token when the first is deleted", async () => {
    const eco = freshEcosystem();
    const [first, second] = [await aToken({ ecosystems: [eco] }), await aToken()];
    const { closed } = await open(eco, first.token);
    await call(`/v1/tokens/${first.id}`, { method: "DELETE" });
    expect((await closed).code).toBe(1008);
    await open(eco, second.token);
  });

  it("opens for a token that is bound to the host, and for no other host", async () => {
    const eco = freshEcosystem();
    const [first, bound] = [await aToken(), await aToken({ hosts: ["gpu-*"] })];
    await open(eco, first.token);
    await open(eco, bound.token);
    expect(await problemOf(await link(eco, first.token))).toMatchObject({ type: "/problems/host-taken" });
    expect(await problemOf(await link(eco, bound.token, { host: "web-1" }))).toMatchObject({
      status: 403,
      type: "/problems/not-bound",
    });
  });

  it.each(["ganglion", "ganglion.policy"])("has no name that belongs to the edge: %s", async (host) => {
    const problem = await problemOf(await link(freshEcosystem(), (await aToken()).token, { host }));
    expect(problem).toMatchObject({ status: 422, errors: [{ pointer: "/query/host" }] });
  });

  it("is refused to a second installation, which can take the name over", async () => {
    const eco = freshEcosystem();
    const { token } = await aToken();
    const first = await open(eco, token, { installation: "i1", instance: "p1", place: "rack-3:/state" });
    const problem = await problemOf(await link(eco, token, { installation: "i2", instance: "p2" }));
    expect(problem).toMatchObject({ status: 409, type: "/problems/host-in-use", place: "rack-3:/state" });
    await open(eco, token, { installation: "i2", instance: "p2", take_over: "1" });
    expect((await first.closed).code).toBe(4002);
    const back = await problemOf(await link(eco, token, { installation: "i1", instance: "p1" }));
    expect(back).toMatchObject({ type: "/problems/host-in-use" });
  });

  it("replaces that of the same installation, and is refused to a copy that comes back", async () => {
    const eco = freshEcosystem();
    const { token } = await aToken();
    const first = await open(eco, token, { installation: "i1", instance: "p1" });
    await open(eco, token, { installation: "i1", instance: "p2" });
    expect((await first.closed).code).toBe(4001);
    expect(await problemOf(await link(eco, token, { installation: "i1", instance: "p1" }))).toMatchObject({
      type: "/problems/host-copied",
    });
  });

  it("keeps everything that its hibernating socket has to hold, also where all of it is as long as may be", async () => {
    const eco = freshEcosystem();
    const long = (n: number) => `${n}${"ж".repeat(255)}`;
    const { token } = await aToken({ sources: [long(1), long(2), long(3)] });
    let socket: WebSocket | undefined;
    for (let n = 0; n < 10; n++)
      ({ socket } = await open(eco, token, { installation: long(0), instance: long(n), place: long(0) }));
    const signals = Array.from({ length: 64 }, (_, n) => `Q_${n}_${"X".repeat(123 - String(n).length)}`);
    socket?.send(JSON.stringify({ type: "subscribe", after: null, signals }));
    await vi.waitFor(async () => expect((await logOf(eco).status()).subscribers).toBe(1));
    await evictDurableObject(logOf(eco));
    expect(await logOf(eco).status()).toMatchObject({ subscribers: 1, hosts: ["gpu-01"] });
  });
});
