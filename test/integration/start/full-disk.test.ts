import { describe, expect, it } from "vitest";
import { smallDisk } from "../../faults/soak/small-disk.ts";
import { runEdge } from "../../harness/running-edge.ts";

const disk = smallDisk(128);
const text = "x".repeat(20_000);

describe.runIf(disk.canFill)("an edge whose disk is full", () => {
  it("answers every write with 503 and the time to come again, keeps what it has, and goes on when there is space", async () => {
    const edge = await runEdge({ stateDir: disk.directory });
    const client = edge.client();
    const writes = [
      ["POST", "/v1/default/signals", { signal: "Q_LARGE", source: "test", facts: { text } }],
      ["POST", "/v1/default/queues/work/tasks", [{ recipient: "coder", type: "LARGE", payload: text }]],
      ["POST", "/v1/default/queues/other/tasks", [{ recipient: "coder", type: "LARGE", payload: text }]],
      ["PATCH", "/v1/default/queues/work", { max_attempts: 7 }],
      ["PUT", "/v1/default/policies/large", { when: "Q_LARGE", then: [{ emit: { signal: "Q_SEEN" } }] }],
      ["PUT", "/v1/default/webhooks/large", { url: "https://example.com/hook" }],
      ["PUT", "/v1/default/maintenance", { enabled: true, reason: text.slice(0, 900) }],
      ["PUT", "/v1/default/monitors", { agent_grace_seconds: 90 }],
      ["PUT", "/v1/default/models", { enabled: true }],
      ["POST", "/v1/tokens", { name: "large", scopes: ["signals:read"], ecosystems: ["default"] }],
    ] as const;
    const send = async ([method, path, body]: (typeof writes)[number]) => {
      const headers = { authorization: `Bearer ${edge.token}`, "content-type": "application/json" };
      const response = await fetch(edge.url + path, { method, headers, body: JSON.stringify(body) });
      return [path, response.status, response.headers.get("retry-after"), await response.text()] as const;
    };
    await client.emit({ signal: "Q_KEPT", source: "test", facts: {} });
    disk.fill();
    for (const [path, status, retryAfter, text] of await Promise.all(writes.map(send))) {
      expect([path, status, retryAfter]).toEqual([path, 503, "1"]);
      expect(JSON.parse(text)).toMatchObject({ status: 503, retry_after_ms: 1_000 });
    }
    expect((await fetch(`${edge.url}/healthz`)).status).toBe(200);
    const ready = await fetch(`${edge.url}/readyz`);
    expect([ready.status, await ready.json()]).toMatchObject([503, { type: "/problems/not-ready" }]);
    expect((await client.signals({ signals: ["Q_KEPT"] })).signals).toHaveLength(1);
    disk.free();
    for (const [path, status] of await Promise.all(writes.map(send)))
      expect([path, Math.floor(status / 100)]).toEqual([path, 2]);
    expect((await client.signals({ signals: ["Q_KEPT"] })).signals).toHaveLength(1);
  });
});
