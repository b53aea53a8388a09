import { describe, expect, it } from "vitest";
import type { Usage } from "../../../src/core/billing/usage.ts";
import { deadLettersUnderTest, refusedSignal } from "../dead-letters/dead-letters-under-test.ts";
import { logOf } from "../log-under-test.ts";
import { aDelivery, webhooksOf } from "../webhooks/webhooks-under-test.ts";
import { call, freshEcosystem, post } from "./calls.ts";

const usageOf = async (eco: string) =>
  (await (await call(`/v1/${eco}/usage`)).json()) as { objects: Record<string, Usage>; total: Usage };
const OBJECTS = [
  ...[
    "agent_registry",
    "audit_log",
    "dead_letters",
    "directory",
    "idempotency_keys",
    "intelligence",
    "limits",
    "link_relays",
    "locks",
    "models",
    "notes",
    "observation_cache",
    "policy_state",
  ],
  ...[
    "priority_queues",
    "questions",
    "queue_lobby",
    "schedules",
    "signal_log",
    "telemetry",
    "webhooks",
    "worker_board",
  ],
];

describe("what an ecosystem uses", () => {
  it("is counted for every object that it has, and adds up", async () => {
    const eco = freshEcosystem();
    await logOf(eco).append({ signals: [] });
    const before = await usageOf(eco);
    await deadLettersUnderTest(eco).record(refusedSignal("h.1.local.7"));
    await post(`/v1/${eco}/models`, { enabled: false }, { method: "PUT" });
    await post(`/v1/${eco}/queues/q/tasks`, { recipient: "x", type: "T", payload: 1 });
    const { objects, total } = await usageOf(eco);
    expect(Object.keys(objects).sort()).toEqual(OBJECTS);
    for (const name of ["dead_letters", "models", "priority_queues"]) {
      const used = (unit: keyof Usage) => (objects[name]?.[unit] ?? 0) - (before.objects[name]?.[unit] ?? 0);
      expect([name, used("rows_written") > 0, used("requests") > 0]).toEqual([name, true, true]);
    }
    const sum = (unit: keyof Usage) => Object.values(objects).reduce((all, usage) => all + usage[unit], 0);
    expect(total).toMatchObject({ rows_written: sum("rows_written"), requests: sum("requests") });
  });

  it("is, for a message that a webhook takes at once, what docs/webhooks.md says", async () => {
    const webhooks = webhooksOf();
    const eco = webhooks.ecosystem;
    await webhooks.add("alerts", "200");
    let looked = 0;
    const deliver = async (from: number, count: number) => {
      const messages = Array.from({ length: count }, (_, n) => aDelivery(`d${from + n}`, "alerts"));
      for (const message of messages) {
        await webhooks.stub().deliver([message]);
        await webhooks.received("alerts", Number(message.id.slice(1)) + 1);
        await expect
          .poll(async () => {
            looked++;
            return (await webhooks.deliveries("alerts")).find(({ id }) => id === message.id)?.state;
          })
          .toBe("delivered");
      }
    };
    await deliver(0, 200);
    looked = 0;
    const before = (await usageOf(eco)).objects.webhooks as Usage;
    await deliver(200, 20);
    const after = (await usageOf(eco)).objects.webhooks as Usage;
    // Its coming, its end, the alarm between, and, as there are more than are kept, its being forgotten.
    expect((after.rows_written - before.rows_written) / 20).toBe(4);
    // Looking at the usage is a call of the object too.
    expect((after.requests - before.requests - looked - 1) / 20).toBe(2);
  });

  it("counts what administrators ask of the object of webhooks", async () => {
    const eco = freshEcosystem();
    const path = `/v1/${eco}/webhooks/alerts`;
    const ask = async (method: string, at = path, body?: object) => {
      const answer = await call(at, { method, ...(body === undefined ? {} : asJson(body)) });
      expect(answer.ok, `${method} ${at}: ${answer.status}`).toBe(true);
    };
    await ask("PUT", path, { url: "https://hooks.example/a" });
    const before = (await usageOf(eco)).objects.webhooks as Usage;
    await ask("PUT", path, { url: "https://hooks.example/b" });
    await ask("PATCH", path, { enabled: false });
    await ask("GET", `/v1/${eco}/webhooks`);
    await ask("GET", `${path}/deliveries`);
    await ask("POST", `${path}/secret`);
    await ask("DELETE");
    const after = (await usageOf(eco)).objects.webhooks as Usage;
    // Looking at the usage is a call of the object too.
    expect(after.requests - before.requests - 1).toBe(6);
  });
});

const asJson = (body: object) => ({
  body: JSON.stringify(body),
  headers: { "Content-Type": "application/json" },
});
