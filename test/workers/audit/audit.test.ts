import { describe, expect, test } from "vitest";
import type { AuditEntry, AuditPage } from "../../../src/core/audit/api.ts";
import { makeToken } from "../access/tokens-under-test.ts";
import { call, freshEcosystem, post } from "../api/calls.ts";
import { aTask } from "../queue/queue-under-test.ts";

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
