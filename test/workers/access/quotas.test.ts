import { evictDurableObject, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, describe, expect, it } from "vitest";
import { quotaOf } from "../../../src/core/quotas/token-quotas.ts";
import { call, freshEcosystem, post, problemOf } from "../api/calls.ts";
import { logOf } from "../log-under-test.ts";
import { aTask, openChannel, queueOver } from "../queue/queue-under-test.ts";
import { openSocket, type SocketEnd } from "./socket-end.ts";
import { makeToken } from "./tokens-under-test.ts";

const AGENT = ["signals:read", "signals:write", "tasks:work"];
const opened: SocketEnd[] = [];

async function link(eco: string, host: string, token: string): Promise<SocketEnd | number> {
  const end = await openSocket(`/v1/${eco}/link?host=${host}`, `Bearer ${token}`);
  if (typeof end !== "number") opened.push(end);
  return end;
}

afterEach(async () => {
  for (const { socket, closed } of opened.splice(0)) {
    socket.close();
    await closed;
  }
});

const overQuotaOf = async (eco: string) =>
  ((await (await call(`/v1/${eco}/status`)).json()) as { over_quota: object[] }).over_quota;

const countOf = (eco: string, table: string) =>
  runInDurableObject(logOf(eco), (_, { storage }) =>
    Number(storage.sql.exec(`SELECT COUNT(*) AS n FROM ${table}`).one().n),
  );

const directory = () => env.DIRECTORY.get(env.DIRECTORY.idFromName("directory"));

describe("a token that has as many hosts as it may have", () => {
  it("takes no further name, and goes on as those that it has; the status names it", async () => {
    const eco = freshEcosystem();
    const { id, token } = await makeToken(eco, AGENT);
    expect(await link(eco, "h0", token)).not.toBe(429);
    const limit = quotaOf("hosts", {});
    await runInDurableObject(logOf(eco), (_, { storage }) => {
      for (let n = 1; n < limit; n++)
        storage.sql.exec("INSERT INTO host_owners VALUES (?, ?, NULL, '', 0)", `h${n}`, id);
    });
    const refused = await call(`/v1/${eco}/link?host=one-more`, { headers: { Upgrade: "websocket" }, token });
    expect(await problemOf(refused)).toMatchObject({ type: "/problems/over-quota", quota: "hosts", limit });
    expect(await countOf(eco, "host_owners")).toBe(limit);
    expect(await link(eco, "h1", token)).not.toBe(429);
    const other = await makeToken(eco, AGENT);
    expect(await link(eco, "neighbour", other.token)).not.toBe(429);
    expect(await overQuotaOf(eco)).toMatchObject([
      { quota: "hosts", sender: `token:${id}`, token_name: "t", refused: 1, limit, setting: "QUOTA_HOSTS" },
    ]);
  });
});

describe("a token that has as many links and streams open as it may have", () => {
  it("opens no further one until one ends, and is told when to come again", async () => {
    const eco = freshEcosystem();
    const { token } = await makeToken(eco, AGENT);
    await runInDurableObject(logOf(eco), (log) => {
      Object.assign(Reflect.get(log, "env") as object, { QUOTA_LINKS: "2" });
    });
    try {
      const first = await link(eco, "a", token);
      expect(await link(eco, "b", token)).not.toBe(429);
      const headers = { Upgrade: "websocket" };
      const refused = await call(`/v1/${eco}/signals/stream`, { headers, token });
      expect(refused.headers.get("Retry-After")).toBe("60");
      expect(await problemOf(refused)).toMatchObject({ type: "/problems/over-quota", quota: "links", limit: 2 });
      expect((await call(`/v1/${eco}/signals/stream`, { token })).status).toBe(429);
      expect(await link(eco, "c", token)).toBe(429);
      expect(await countOf(eco, "host_owners")).toBe(2);
      if (typeof first === "number") throw new Error(`no link, but ${first}`);
      first.socket.close();
      await first.closed;
      expect(await link(eco, "c", token)).not.toBe(429);
    } finally {
      await runInDurableObject(logOf(eco), (log) => {
        Reflect.deleteProperty(Reflect.get(log, "env") as object, "QUOTA_LINKS");
      });
    }
  });
});

describe("a token that has made as many queues as it may make", () => {
  it("makes no further one, over HTTP, by a call or by settings, and uses those that there are", async () => {
    const eco = freshEcosystem();
    const { id, token } = await makeToken(eco, ["tasks:write", "policy:write", "tasks:work"]);
    const limit = quotaOf("queues", {});
    await runInDurableObject(directory(), (_, { storage }) => {
      for (let n = 1; n < limit; n++) storage.sql.exec("INSERT INTO queue_owners VALUES (?, ?, ?)", id, eco, `q${n}`);
    });
    const put = (queue: string) => post(`/v1/${eco}/queues/${queue}/tasks`, aTask(), { token });
    expect((await put("last")).status).toBe(202);
    expect(await problemOf(await put("more"))).toMatchObject({ type: "/problems/over-quota", quota: "queues", limit });
    const settings = await post(`/v1/${eco}/queues/more`, { capacity: 5 }, { token, method: "PATCH" });
    expect(settings.status).toBe(429);
    const asked = { recipient: "a", type: "ASK", payload: 1, timeout_ms: 1 };
    expect((await post(`/v1/${eco}/queues/more/calls`, asked, { token })).status).toBe(429);
    const channel = await openChannel(eco, "w", "more", token);
    channel.send({ type: "enqueue", batch: 1, tasks: [aTask()] });
    expect(await channel.closed).toBe(1013);
    expect((await put("last")).status).toBe(202);
    // Who is no token of that: the queue was not made by what was refused.
    expect((await call(`/v1/${eco}/queues/more`)).status).toBe(404);
    expect(await overQuotaOf(eco)).toMatchObject([{ quota: "queues", sender: `token:${id}`, source: eco, limit }]);
    await call(`/v1/${eco}/queues/last?force=true`, { method: "DELETE" });
    expect((await put("more")).status).toBe(202);
    expect((await queueOver(eco, "by-admin").put(aTask())).status).toBe(202);
  });
});

describe("a token for all ecosystems that has made as many as it may make", () => {
  it("makes no further one, whatever it calls, and uses those that there are", async () => {
    const { id, token } = await makeToken("*", ["signals:read", "signals:write", "tasks:write"]);
    const limit = quotaOf("ecosystems", {});
    const [last, more] = [freshEcosystem(), freshEcosystem()];
    await runInDurableObject(directory(), (_, { storage }) => {
      for (let n = 1; n < limit; n++) storage.sql.exec("INSERT INTO ecosystem_owners VALUES (?, ?)", id, `e${n}`);
    });
    const emit = (eco: string) => post(`/v1/${eco}/signals`, { signal: "Q_TEST", source: "s", facts: {} }, { token });
    expect((await emit(last)).status).toBe(202);
    expect(await problemOf(await emit(more))).toMatchObject({
      type: "/problems/over-quota",
      quota: "ecosystems",
      limit,
    });
    expect((await post(`/v1/${more}/queues/q/tasks`, aTask(), { token })).status).toBe(429);
    expect((await post(`/v1/${last}/queues/${more}%2Fq/tasks`, aTask(), { token })).status).toBe(429);
    expect(await link(more, "h", token)).toBe(429);
    const named = async () =>
      ((await (await call("/v1/ecosystems")).json()) as { ecosystems: { name: string }[] }).ecosystems;
    expect((await named()).map(({ name }) => name)).not.toContain(more);
    expect((await emit(last)).status).toBe(202);
    expect(await overQuotaOf(last)).toMatchObject([{ quota: "ecosystems", sender: `token:${id}`, limit, refused: 4 }]);
    const own = await makeToken(more, ["signals:write"]);
    expect(
      (await post(`/v1/${more}/signals`, { signal: "Q_TEST", source: "s", facts: {} }, { token: own.token })).status,
    ).toBe(202);
  });
});

describe("a host with as many dead letters as it may have", () => {
  it("loses its oldest ones for new ones, and no other's; the status names it", async () => {
    const eco = freshEcosystem();
    const letters = env.DEAD_LETTERS.get(env.DEAD_LETTERS.idFromName(eco));
    const letter = (host: string, n: number) =>
      ({ id: `${host}.intent.${n}`, kind: "intent", intent: {}, error: "e", daemon: "agent/intents", host }) as const;
    await letters.record([letter("neighbour", 1)]);
    const limit = quotaOf("dead_letters", {});
    await runInDurableObject(letters, (_, { storage }) => {
      storage.sql.exec(
        `WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?)
         INSERT INTO letters (id, body, attempts, first_ms, last_ms)
         SELECT 'loud.intent.' || i, '{"kind":"intent","intent":{},"error":"e","daemon":"agent/intents","host":"loud"}', 1, ?, ? FROM n`,
        limit,
        Date.now(),
        Date.now(),
      );
    });
    await evictDurableObject(letters);
    await letters.record([letter("neighbour", 2), letter("loud", limit + 1), letter("loud", limit + 2)]);
    const kept = await Promise.all([1, 2, 3, limit + 1, limit + 2].map((n) => letters.find(`loud.intent.${n}`)));
    expect(kept.map((found) => found !== null)).toEqual([false, false, true, true, true]);
    expect(await letters.find("neighbour.intent.1")).not.toBeNull();
    expect(await letters.count()).toBe(limit + 2);
    expect(await overQuotaOf(eco)).toMatchObject([{ quota: "dead_letters", sender: "host:loud", refused: 2, limit }]);
  });
});

describe("a sender that has filled its part of the log today", () => {
  it("is refused, over HTTP and over a link, and keeps its signals; its neighbours go on; the status names it", async () => {
    const eco = freshEcosystem();
    const { id, token } = await makeToken(eco, ["signals:read", "signals:write"]);
    await runInDurableObject(logOf(eco), (log) => {
      Object.assign(Reflect.get(log, "env") as object, { QUOTA_LOG_MB: "1" });
    });
    try {
      const large = { signal: "Q_TEST", source: "s", facts: { text: "x".repeat(60_000) } };
      const emit = (by: string) =>
        post(
          `/v1/${eco}/signals`,
          Array.from({ length: 16 }, () => large),
          { token: by },
        );
      expect((await emit(token)).status).toBe(202);
      expect((await emit(token)).status).toBe(202);
      const refused = await emit(token);
      expect(refused.headers.get("Retry-After")).toBe("60");
      expect(await problemOf(refused)).toMatchObject({
        type: "/problems/over-quota",
        quota: "log_megabytes",
        limit: 1,
      });
      expect((await emit((await makeToken(eco, ["signals:write"])).token)).status).toBe(202);
      const end = await link(eco, "h", token);
      if (typeof end === "number") throw new Error(`no link, but ${end}`);
      const append = (batch: number) =>
        new Promise<object>((resolve) => {
          end.socket.addEventListener("message", ({ data }) => {
            const frame = JSON.parse(String(data)) as { batch?: number };
            if (frame.batch === batch) resolve(frame);
          });
          const first = batch * 16 + 1;
          const signals = Array.from({ length: 16 }, () => large);
          end.socket.send(JSON.stringify({ type: "append", batch, producer: "h.e.l", first, signals }));
        });
      expect(await append(0)).toMatchObject({ type: "appended" });
      expect(await append(1)).toMatchObject({ type: "appended" });
      expect(await append(2)).toMatchObject({ type: "refused", problem: { status: 429 }, retry_after_ms: 60_000 });
      const named = (await overQuotaOf(eco)) as { sender: string }[];
      expect(named.map(({ sender }) => sender).sort()).toEqual(["host:h", `token:${id}`]);
    } finally {
      await runInDurableObject(logOf(eco), (log) => {
        Reflect.deleteProperty(Reflect.get(log, "env") as object, "QUOTA_LOG_MB");
      });
    }
  });
});

describe("the readiness of a deployment with a damaged log", () => {
  it("is refused with its name until the log reads everything again", async () => {
    const eco = freshEcosystem();
    await directory().reportDamage({ object: "SignalLog", name: eco }, Date.now());
    const stores = () => directory().damagedStores();
    expect(await stores()).toContainEqual({ object: "SignalLog", name: eco });
    // The log has no damage: the report ends with the question.
    await expect.poll(async () => (await call("/readyz", { token: null })).status, { timeout: 8_000 }).toBe(200);
    expect(await stores()).not.toContainEqual({ object: "SignalLog", name: eco });
  });
});
