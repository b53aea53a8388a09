import { evictDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, describe, expect, test, vi } from "vitest";
import { WORK_PROTOCOL } from "../../../src/core/queue/work-frames.ts";
import { priorityQueue, queueLobby } from "../../../src/workers/bindings/objects.ts";
import { everyMinute } from "../../../src/workers/cron.ts";
import { sendShares } from "../../../src/workers/rounds/rounds-queue.ts";
import { call, freshEcosystem, post, problemOf } from "../api/calls.ts";
import { logOf } from "../log-under-test.ts";

const SCOPES = ["signals:read", "signals:write", "tasks:work", "tasks:write"];

async function makeToken(ecosystem: string, more: object = {}): Promise<{ id: string; token: string }> {
  const answer = await post("/v1/tokens", { name: "t", scopes: SCOPES, ecosystems: [ecosystem], ...more });
  return answer.json();
}

/** Opens a socket, and gives what closes it. */
async function open(path: string, token: string, protocol?: string) {
  const headers = { Upgrade: "websocket", ...(protocol === undefined ? {} : { "Sec-WebSocket-Protocol": protocol }) };
  const { status, webSocket } = await call(path, { token, headers });
  if (webSocket === null) return { status, closed: Promise.resolve(0) };
  webSocket.accept();
  return {
    status,
    closed: new Promise<number>((resolve) => webSocket.addEventListener("close", ({ code }) => resolve(code))),
  };
}

afterEach(() => void vi.useRealTimers());

const everySocket = async (eco: string, token: string) => [
  await open(`/v1/${eco}/link?host=h`, token),
  await open(`/v1/${eco}/signals/stream`, token),
  await open(`/v1/${eco}/queues/work/work`, token, WORK_PROTOCOL),
];

describe("sockets that a token opened", () => {
  test("are closed when the token is deleted, also after hibernation, and cannot be opened again", async () => {
    const eco = freshEcosystem();
    const [mine, other] = [await makeToken(eco), await makeToken(eco)];
    const task = { recipient: "r", type: "t", payload: {} };
    expect((await post(`/v1/${eco}/queues/work/tasks`, task, { token: mine.token })).status).toBe(202);
    await expect
      .poll(async () => (await (await call(`/v1/${eco}/queues`)).json<{ queues: unknown[] }>()).queues.length)
      .toBe(1);
    const sockets = await everySocket(eco, mine.token);
    expect(sockets.map(({ status }) => status)).toEqual([101, 101, 101]);
    let otherClosed = false;
    void (await open(`/v1/${eco}/link?host=other`, other.token)).closed.then(() => {
      otherClosed = true;
    });
    await evictDurableObject(logOf(eco));

    expect((await call(`/v1/tokens/${mine.id}`, { method: "DELETE" })).status).toBe(204);
    expect(await Promise.all(sockets.map(({ closed }) => closed))).toEqual([1008, 1008, 1008]);
    expect((await logOf(eco).status()).hosts).toEqual(["other"]);
    expect((await everySocket(eco, mine.token)).map(({ status }) => status)).toEqual([401, 401, 401]);
    expect(otherClosed).toBe(false);
  });

  test("are closed by the minute's round when the token has expired", async () => {
    const eco = freshEcosystem();
    const inAnHour = Date.now() + 3_600_000;
    const { token } = await makeToken(eco, { expires_at: new Date(inAnHour).toISOString() });
    const [link] = await everySocket(eco, token);
    await everyMinute(env, inAnHour - 1);
    expect((await logOf(eco).status()).hosts).toEqual(["h"]);
    await everyMinute(env, inAnHour + 90_000);
    expect(await link?.closed).toBe(1008);
  });

  test("are closed by a later round where the deletion could not close them", async () => {
    const eco = freshEcosystem();
    const { id, token } = await makeToken(eco);
    const [link] = await everySocket(eco, token);
    // As when the edge stops before it closes the sockets.
    await env.DIRECTORY.get(env.DIRECTORY.idFromName("directory")).remove(id);
    await everyMinute(env, Date.now() + 1_000);
    expect(await link?.closed).toBe(1008);
  });

  test("is closed by an invocation of its own where there are many ecosystems", async () => {
    const eco = freshEcosystem();
    const { id, token } = await makeToken(eco);
    const [link] = await everySocket(eco, token);
    await sendShares(env.ROUNDS, [[{ what: "close", ecosystem: eco, token: id }]], Date.now());
    expect(await link?.closed).toBe(1008);
  });
});

describe("server-sent events", () => {
  const streams = [
    ["of signals", (eco: string) => `/v1/${eco}/signals/stream`],
    ["of a queue", (eco: string) => `/v1/${eco}/queues/work/events`],
  ] as const;
  const open = (path: string, token: string) => call(path, { token, headers: { Accept: "text/event-stream" } });
  const emit = async (eco: string, name: string) => {
    await post(`/v1/${eco}/signals`, { signal: name, source: "test", facts: {} });
    await post(`/v1/${eco}/queues/work/tasks`, { recipient: name, type: "t", payload: {} });
  };

  test.each(streams)("%s end when the token is deleted, and what comes later is not in them", async (_, path) => {
    const eco = freshEcosystem();
    await emit(eco, "EARLY");
    const { id, token } = await makeToken(eco);
    const answer = await open(path(eco), token);
    expect(answer.status).toBe(200);
    expect((await call(`/v1/tokens/${id}`, { method: "DELETE" })).status).toBe(204);
    await emit(eco, "LATE");
    expect(await answer.text()).not.toContain("LATE");
    expect((await open(path(eco), token)).status).toBe(401);
  });

  test.each(streams)(
    "%s end with the first that comes after the token has expired, and do not hold it",
    async (_, path) => {
      vi.useFakeTimers({ toFake: ["Date"], now: Date.now() });
      const eco = freshEcosystem();
      await emit(eco, "EARLY");
      const { token } = await makeToken(eco, { expires_at: new Date(Date.now() + 60_000).toISOString() });
      const answer = await open(path(eco), token);
      expect(answer.status).toBe(200);
      vi.setSystemTime(Date.now() + 60_000);
      await emit(eco, "LATE");
      expect(await answer.text()).not.toContain("LATE");
    },
  );
});

describe("a request for a socket that a cache let in just before the deletion", () => {
  const headers = { Upgrade: "websocket" };
  test.each(["link?host=h&right=any&", "stream?"])("is refused by the log: /%s", async (path) => {
    const eco = freshEcosystem();
    await logOf(eco).closeToken("gone");
    const answer = await logOf(eco).fetch(`https://object/${eco}/${path}token=gone`, { headers });
    expect(await problemOf(answer)).toMatchObject({ status: 401, type: "/problems/unauthenticated" });
    expect((await logOf(eco).fetch(`https://object/${eco}/${path}token=other`, { headers })).status).toBe(101);
  });

  test.each(["work?", "events?"])("is refused by a queue: /%s", async (path) => {
    const queue = priorityQueue(env, freshEcosystem(), "work");
    await queue.closeToken("gone");
    const answer = await queue.fetch(`https://object/${path}token=gone`, { headers });
    expect(await problemOf(answer)).toMatchObject({ status: 401, type: "/problems/unauthenticated" });
  });
});

describe("somebody who waits for a task", () => {
  const TASK = { recipient: "r", type: "t", payload: {}, task_id: "a" };
  const lease = (eco: string, token: string) =>
    post(`/v1/${eco}/queues/work/lease`, { recipient: "r", wait_ms: 30_000 }, { token });
  const taskOf = async (eco: string) =>
    (await call(`/v1/${eco}/queues/work/tasks/a`)).json<{ status: string; history: { event: string }[] }>();
  test("by a request is refused when the token is deleted, and gets no task, in a queue that never held one", async () => {
    const eco = freshEcosystem();
    const { id, token } = await makeToken(eco);
    const asked = lease(eco, token);
    await expect.poll(() => queueLobby(env, eco).waiting("work", "worker")).toBe(1);
    expect((await call(`/v1/tokens/${id}`, { method: "DELETE" })).status).toBe(204);
    expect((await asked).status).toBe(401);
    expect((await post(`/v1/${eco}/queues/work/tasks`, TASK)).status).toBe(202);
    expect((await taskOf(eco)).history.map(({ event }) => event)).toEqual(["queued"]);
  });

  test("over a channel is disconnected when the token is deleted, in a queue that never held a task", async () => {
    const eco = freshEcosystem();
    const { id, token } = await makeToken(eco);
    const channel = await open(`/v1/${eco}/queues/work/work`, token, WORK_PROTOCOL);
    await expect.poll(() => queueLobby(env, eco).waiting("work", "reader")).toBe(1);
    expect((await call(`/v1/tokens/${id}`, { method: "DELETE" })).status).toBe(204);
    expect(await channel.closed).toBe(1008);
  });

  test("by a request that a cache let in after the deletion is refused by the queue", async () => {
    const eco = freshEcosystem();
    const { id } = await makeToken(eco);
    const queue = priorityQueue(env, eco, "work");
    await queue.closeToken(id);
    await post(`/v1/${eco}/queues/work/tasks`, TASK);
    const query = { recipient: "r", max: 1, leaseMs: 30_000, waitMs: 0, worker: "w" };
    expect(await queue.lease({ ...query, token: { id, expiresMs: null } })).toEqual({ token_over: true });
    expect(await queue.lease({ ...query, token: { id: "other", expiresMs: null } })).toHaveLength(1);
  });

  test("by a request gets no task once the token has expired", async () => {
    const eco = freshEcosystem();
    const queue = priorityQueue(env, eco, "work");
    const expiresMs = Date.now() + 200;
    const asked = queue.lease({
      recipient: "r",
      max: 1,
      leaseMs: 30_000,
      waitMs: 30_000,
      worker: "w",
      token: { id: "short", expiresMs },
    });
    await expect.poll(() => Date.now()).toBeGreaterThan(expiresMs);
    await post(`/v1/${eco}/queues/work/tasks`, TASK);
    expect((await taskOf(eco)).history.map(({ event }) => event)).toEqual(["queued"]);
    await queue.closeToken("short");
    expect(await asked).toEqual({ token_over: true });
  });

  test("over a channel is disconnected by its next frame once the token has expired, and gets no task", async () => {
    const eco = freshEcosystem();
    await post(`/v1/${eco}/queues/work/tasks`, TASK);
    vi.useFakeTimers({ toFake: ["Date"], now: Date.now() });
    const expires = Date.now() + 60_000;
    const query = new URLSearchParams({ worker: "w", may_write: "0", token: "short", expires: String(expires) });
    const headers = { Upgrade: "websocket", "Sec-WebSocket-Protocol": WORK_PROTOCOL };
    const { webSocket } = await priorityQueue(env, eco, "work").fetch(`https://object/work?${query}`, { headers });
    webSocket?.accept();
    const closed = new Promise<number>((resolve) => webSocket?.addEventListener("close", ({ code }) => resolve(code)));
    vi.setSystemTime(expires);
    webSocket?.send(JSON.stringify({ type: "ready", recipient: "r", credit: 1 }));
    expect(await closed).toBe(1008);
    expect((await taskOf(eco)).history.map(({ event }) => event)).toEqual(["queued"]);
  });
});
