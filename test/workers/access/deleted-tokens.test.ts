import { evictDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { describe, expect, test } from "vitest";
import { WORK_PROTOCOL } from "../../../src/core/queue/work-frames.ts";
import { everyMinute } from "../../../src/workers/cron.ts";
import { sendShares } from "../../../src/workers/rounds/rounds-queue.ts";
import { call, freshEcosystem, post } from "../api/calls.ts";
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
