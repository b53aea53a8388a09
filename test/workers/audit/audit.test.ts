import { runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { describe, expect, test } from "vitest";
import type { AuditEntry, AuditPage } from "../../../src/core/audit/api.ts";
import { auditLog } from "../../../src/workers/bindings/objects.ts";
import { beginSession, inSession } from "../access/session-under-test.ts";
import { makeToken } from "../access/tokens-under-test.ts";
import { call, freshEcosystem, post } from "../api/calls.ts";
import { crash } from "../crash.ts";
import { aTask, openChannel } from "../queue/queue-under-test.ts";

async function read(path: string): Promise<AuditPage> {
  const answer = await call(path);
  if (answer.status !== 200) throw new Error(await answer.text());
  return answer.json();
}
const brief = ({ by, method, operation, target, status, outcome }: AuditEntry) =>
  [by, method, operation, target, status, outcome] as const;

describe("the audit of an ecosystem", () => {
  test("names who changed what, the newest first, and pages", async () => {
    const eco = freshEcosystem();
    const { token, id } = await makeToken(eco, ["policy:write", "tasks:write", "signals:read"]);
    await post(`/v1/${eco}/maintenance`, { enabled: true, reason: "a secret plan" }, { method: "PUT", token });
    await call(`/v1/${eco}/webhooks/none`, { method: "DELETE" });
    await post(`/v1/${eco}/queues/work`, { capacity: 9 }, { method: "PATCH", token });
    const { entries } = await read(`/v1/${eco}/audit`);
    expect(entries.map(brief)).toEqual([
      ["t", "PATCH", "/v1/{eco}/queues/{q}", `/v1/${eco}/queues/work`, 200, "done"],
      ["ADMIN_TOKEN", "DELETE", "/v1/{eco}/webhooks/{id}", `/v1/${eco}/webhooks/none`, 404, "refused"],
      ["t", "PUT", "/v1/{eco}/maintenance", `/v1/${eco}/maintenance`, 200, "done"],
    ]);
    expect(entries[0]?.by_id).toBe(id);
    expect(JSON.stringify(entries)).not.toContain("secret");
    const first = await read(`/v1/${eco}/audit?limit=2`);
    const second = await read(`/v1/${eco}/audit?limit=2&after=${first.next}`);
    expect([...first.entries, ...second.entries]).toEqual(entries);
    expect(second.next).toBeNull();
    expect((await read(`/v1/${eco}/audit?by=${id}&target=maintenance`)).entries).toHaveLength(1);
  });

  test("holds commands for hosts, and neither what is read nor what programs send all the time", async () => {
    const eco = freshEcosystem();
    await post(`/v1/${eco}/signals`, { signal: "X", source: "s", facts: {} });
    await post(`/v1/${eco}/queues/work/tasks`, aTask({ recipient: "coder" }));
    await post(`/v1/${eco}/queues/work/lease`, { recipient: "coder" });
    await post(`/v1/${eco}/maintenance`, { enabled: "maybe" }, { method: "PUT" });
    await call(`/v1/${eco}/gaps`);
    await call(`/v1/${eco}/maintenance`, { method: "PUT", token: "nobody" });
    expect((await read(`/v1/${eco}/audit`)).entries).toEqual([]);
    await post(`/v1/${eco}/queues/hosts/tasks`, aTask({ recipient: "gpu-01" }));
    expect((await read(`/v1/${eco}/audit`)).entries.map(({ target }) => target)).toEqual([
      `/v1/${eco}/queues/hosts/tasks`,
    ]);
  });

  test("holds commands that somebody gives over a worker's channel", async () => {
    const eco = freshEcosystem();
    const { token, id } = await makeToken(eco, ["tasks:work", "tasks:write", "hosts:command"]);
    const channel = await openChannel(eco, "ops", "hosts", token);
    channel.send({ type: "enqueue", batch: 1, tasks: [aTask({ recipient: "gpu-01" })] });
    await channel.next("enqueued");
    const call = { correlation_id: "c1", recipient: "gpu-01", task_type: "t", payload: {}, timeout_ms: 60_000 };
    channel.send({ type: "call", ...call });
    const kept = async () => (await read(`/v1/${eco}/audit`)).entries;
    await expect
      .poll(async () => (await kept()).map(brief))
      .toEqual([
        ["t", "POST", "/v1/{eco}/queues/{q}/calls", `/v1/${eco}/queues/hosts/calls`, 200, "done"],
        ["t", "POST", "/v1/{eco}/queues/{q}/tasks", `/v1/${eco}/queues/hosts/tasks`, 201, "done"],
      ]);
    expect((await kept()).map(({ by_id }) => by_id)).toEqual([id, id]);
    channel.socket.close(1000);
  });

  test("names the session of a browser, and holds all that a person changes with it", async () => {
    const eco = freshEcosystem();
    const { id, token } = await makeToken(eco, ["signals:read", "signals:write"]);
    const session = await beginSession(true, token);
    const body = { signal: "X", source: "s", facts: {} };
    const answer = await inSession(session, `/v1/${eco}/signals`, { method: "POST", body });
    expect(answer.status).toBe(202);
    const { entries } = await read(`/v1/${eco}/audit`);
    expect(entries).toMatchObject([{ by: "t", by_id: id, operation: "/v1/{eco}/signals", status: 202 }]);
    expect(entries[0]?.session).toBe(session.id);
    const begun = (await read(`/v1/audit?by=${id}`)).entries;
    expect(begun).toMatchObject([
      { operation: "/v1/sessions/current", session: session.id },
      { operation: "/v1/sessions", session: null },
    ]);
  });

  test("keeps what was written before sessions were", async () => {
    const eco = freshEcosystem();
    const stub = auditLog(env, eco) as unknown as DurableObjectStub;
    await runInDurableObject(stub, (_, { storage: { sql } }) => {
      sql.exec("DROP TABLE entries");
      sql.exec("DROP VIEW IF EXISTS schema_version");
      sql.exec(
        `CREATE TABLE entries (number INTEGER PRIMARY KEY AUTOINCREMENT, at_ms INTEGER NOT NULL, by TEXT NOT NULL,
           by_id TEXT NOT NULL, method TEXT NOT NULL, operation TEXT NOT NULL, target TEXT NOT NULL, status INTEGER NOT NULL)`,
      );
      sql.exec("INSERT INTO entries VALUES (7, ?, 'ops', 't', 'PUT', 'o', 'p', 200)", Date.now());
    });
    await crash(stub);
    await post(`/v1/${eco}/maintenance`, { enabled: true }, { method: "PUT" });
    const { entries } = await read(`/v1/${eco}/audit`);
    expect(entries.map(({ number, by, session }) => [number, by, session])).toEqual([
      [8, "ADMIN_TOKEN", null],
      [7, "ops", null],
    ]);
  });

  test("is for administrators", async () => {
    const eco = freshEcosystem();
    const { token } = await makeToken(eco, ["signals:read", "policy:write"]);
    expect((await call(`/v1/${eco}/audit`, { token })).status).toBe(403);
  });

  test("of the deployment holds tokens, and the end of an ecosystem, which leaves nothing behind", async () => {
    const eco = freshEcosystem();
    await post(`/v1/${eco}/maintenance`, { enabled: true }, { method: "PUT" });
    const made = await post("/v1/tokens", { name: `for-${eco}`, scopes: ["signals:read"], ecosystems: [eco] });
    const { id } = (await made.json()) as { id: string };
    await call(`/v1/tokens/${id}`, { method: "DELETE" });
    await call(`/v1/${eco}?confirm=${eco}`, { method: "DELETE" });
    const { entries } = await read("/v1/audit?limit=50");
    const targets = entries.map(({ method, target }) => `${method} ${target}`);
    expect(targets).toEqual(
      expect.arrayContaining([`DELETE /v1/${eco}`, `DELETE /v1/tokens/${id}`, "POST /v1/tokens"]),
    );
    expect((await read(`/v1/${eco}/audit`)).entries).toEqual([]);
  });
});
