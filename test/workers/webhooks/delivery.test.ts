import { evictDurableObject, runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { Webhook } from "standardwebhooks";
import { describe, expect, it, vi } from "vitest";
import { MAX_ATTEMPTS } from "../../../src/core/webhooks/schedule.ts";
import { call, freshEcosystem, post, problemOf } from "../api/calls.ts";
import { crash } from "../crash.ts";
import { aDelivery, type Listed, webhooksOf } from "./webhooks-under-test.ts";

const patience = { timeout: 45_000 };

const verified = (secret: string, message: { headers: object; body: string }) =>
  new Webhook(secret).verify(message.body, message.headers as Record<string, string>) as {
    type: string;
    timestamp: string;
    data: unknown;
  };

async function letters(ecosystem: string) {
  const { dead_letters } = (await (await call(`/v1/${ecosystem}/dead-letters`)).json()) as {
    dead_letters: { id: string; kind: string; error: string; attempts: number; webhook: Record<string, unknown> }[];
  };
  return dead_letters;
}

/** As if the time until the next attempt had passed. */
async function passTime(hooks: ReturnType<typeof webhooksOf>): Promise<void> {
  await runInDurableObject(hooks.stub(), (_, { storage }) => {
    storage.sql.exec("UPDATE deliveries SET next_ms = 0 WHERE state = 'waiting'");
    storage.sql.exec("UPDATE endpoints SET paused_until_ms = 0");
  });
  await evictDurableObject(hooks.stub());
  await runDurableObjectAlarm(hooks.stub());
}

const settled = (hooks: ReturnType<typeof webhooksOf>, endpoint: string, wanted: Partial<Listed>) =>
  vi.waitFor(async () => expect((await hooks.deliveries(endpoint))[0]).toMatchObject(wanted), patience);

/** Fails with a long `Retry-After`: the next attempt is made when the test lets time pass, and not by the clock. */
const LATER = "500+7200,200";

describe("a webhook delivery", () => {
  it("arrives once, with a signature that the standardwebhooks library verifies", async () => {
    const hooks = webhooksOf();
    const { secret } = await hooks.add("alerts", "200");
    const delivery = { ...aDelivery("ganglion.policy.a.1", "alerts", { depth: 101 }), rule: "deep", cause: "s1.x" };
    expect(await hooks.stub().deliver([delivery, aDelivery("other", "nowhere")])).toEqual({ unknown: ["other"] });
    const [message] = await hooks.received("alerts", 1);
    if (message === undefined) throw new Error("nothing came");
    expect(verified(secret, message)).toEqual({
      type: "rule.fired",
      timestamp: expect.stringMatching(/^20\d\d-.*Z$/),
      data: { depth: 101 },
    });
    expect(message.headers["webhook-id"]).toBe("ganglion.policy.a.1");
    const done = { state: "delivered", attempts: 1, last_status: 200, rule: "deep", cause: "s1.x" };
    await settled(hooks, "alerts", done as Partial<Listed>);
    // A delivery that is handed over again is recognised, before and after an eviction.
    await hooks.stub().deliver([delivery]);
    await evictDurableObject(hooks.stub());
    await hooks.stub().deliver([delivery]);
    await hooks.stub().deliver([aDelivery("second", "alerts")]);
    expect((await hooks.received("alerts", 2)).map(({ headers }) => headers["webhook-id"])).toEqual([
      "ganglion.policy.a.1",
      "second",
    ]);
    await settled(hooks, "alerts", { id: "second", state: "delivered" });
    expect(await runDurableObjectAlarm(hooks.stub())).toBe(false); // nothing is due: no alarm is set
  });

  it("carries the trace on of what led to it, also after a crash, and none where there is none", async () => {
    const hooks = webhooksOf();
    await hooks.add("alerts", LATER);
    const trace = `00-${"a".repeat(32)}-${"b".repeat(16)}-01`;
    await hooks.stub().deliver([{ ...aDelivery("d1", "alerts"), trace }]);
    await hooks.received("alerts", 1);
    await settled(hooks, "alerts", { state: "waiting", attempts: 1 });
    await passTime(hooks);
    await hooks.stub().deliver([aDelivery("d2", "alerts")]);
    const messages = await hooks.received("alerts", 3);
    expect(messages.map(({ headers }) => headers.traceparent)).toEqual([trace, trace, undefined]);
  });

  it("becomes a dead letter where its endpoint is deleted before the message was accepted", async () => {
    const hooks = webhooksOf();
    await hooks.add("alerts", "500+7200");
    await hooks.stub().deliver([{ ...aDelivery("d1", "alerts", { depth: 7 }), rule: "deep" }]);
    await settled(hooks, "alerts", { state: "waiting", attempts: 1 });
    expect((await call(`/v1/${hooks.ecosystem}/webhooks/alerts`, { method: "DELETE" })).status).toBe(204);
    await vi.waitFor(
      async () =>
        expect(await letters(hooks.ecosystem)).toMatchObject([
          {
            kind: "webhook",
            error: "not sent: the endpoint was deleted while the message waited for it",
            webhook: { id: "d1", endpoint: "alerts", data: { depth: 7 }, rule: "deep" },
          },
        ]),
      patience,
    );
  });

  it("is retried with the same bytes and id, and a new signature", async () => {
    const hooks = webhooksOf();
    const { secret } = await hooks.add("alerts", LATER);
    await hooks.stub().deliver([aDelivery("d1", "alerts")]);
    await settled(hooks, "alerts", { state: "waiting", attempts: 1, last_status: 500 });
    expect(await hooks.list()).toMatchObject([
      { id: "alerts", waiting: 1, failing_since: expect.any(String), last_error: "the endpoint answered 500" },
    ]);
    await passTime(hooks);
    const messages = await hooks.received("alerts", 2);
    for (const message of messages) verified(secret, message);
    const [first, second] = messages;
    expect(second?.body).toBe(first?.body);
    expect(second?.headers["webhook-id"]).toBe(first?.headers["webhook-id"]);
    await settled(hooks, "alerts", { state: "delivered", attempts: 2 });
    expect((await hooks.list())[0]).not.toHaveProperty("failing_since");
  });

  it("that was being sent when the object crashed is sent again", async () => {
    const hooks = webhooksOf();
    await hooks.add("alerts", "hang,200");
    await hooks.stub().deliver([aDelivery("d1", "alerts")]);
    await hooks.received("alerts", 1);
    // No attempt is stored, and the runtime repeats the interrupted alarm.
    await crash(hooks.stub());
    const messages = await hooks.received("alerts", 2);
    expect(messages.map(({ headers }) => headers["webhook-id"])).toEqual(["d1", "d1"]);
    await settled(hooks, "alerts", { state: "delivered" });
  });

  it("becomes a dead letter with its data and rule after the last attempt", async () => {
    const hooks = webhooksOf();
    await hooks.add("alerts", "400+7200");
    await hooks.stub().deliver([{ ...aDelivery("d1", "alerts", { depth: 7 }), rule: "deep" }]);
    await settled(hooks, "alerts", { attempts: 1 });
    await runInDurableObject(hooks.stub(), (_, { storage }) => {
      storage.sql.exec("UPDATE deliveries SET attempts = ?", MAX_ATTEMPTS - 1);
    });
    await passTime(hooks);
    await vi.waitFor(async () => expect(await letters(hooks.ecosystem)).toHaveLength(1), patience);
    expect(await letters(hooks.ecosystem)).toMatchObject([
      {
        id: "webhook.d1",
        kind: "webhook",
        error: `the endpoint answered 400; given up after ${MAX_ATTEMPTS} attempts`,
        daemon: "ganglion/webhooks/alerts",
        webhook: { id: "d1", endpoint: "alerts", type: "rule.fired", data: { depth: 7 }, rule: "deep" },
      },
    ]);
    expect(await hooks.deliveries("alerts")).toMatchObject([{ state: "failed", attempts: MAX_ATTEMPTS }]);
  });

  it("to an endpoint that answers 410 becomes a dead letter at once, and so do later ones", async () => {
    const hooks = webhooksOf();
    await hooks.add("alerts", "410");
    await hooks.stub().deliver([aDelivery("d1", "alerts")]);
    await vi.waitFor(async () => expect(await letters(hooks.ecosystem)).toHaveLength(1), patience);
    expect(await hooks.list()).toMatchObject([{ enabled: false, disabled_reason: "gone" }]);
    await hooks.stub().deliver([aDelivery("d2", "alerts")]);
    await vi.waitFor(async () => expect(await letters(hooks.ecosystem)).toHaveLength(2), patience);
    expect(await hooks.received("alerts", 1)).toHaveLength(1);
  });

  it("to an endpoint that hangs does not delay the others", async () => {
    const hooks = webhooksOf();
    await hooks.add("slow", "hang");
    await hooks.add("quick", "200");
    await hooks.stub().deliver([1, 2, 3].map((n) => aDelivery(`slow-${n}`, "slow")));
    await hooks.received("slow", 1);
    await hooks.stub().deliver(Array.from({ length: 20 }, (_, n) => aDelivery(`quick-${n}`, "quick")));
    expect(await hooks.received("quick", 20)).toHaveLength(20);
  });

  it("is tried again on time while another endpoint keeps its attempt waiting", async () => {
    const hooks = webhooksOf();
    await hooks.add("slow", "hang");
    await hooks.add("bad", "503,200");
    await hooks.stub().deliver([aDelivery("d1", "slow")]);
    await hooks.received("slow", 1);
    await hooks.stub().deliver([aDelivery("d2", "bad")]);
    expect(await hooks.received("bad", 2)).toHaveLength(2);
    await settled(hooks, "bad", { state: "delivered", attempts: 2 });
    // The attempt at the slow endpoint is still under way: nothing waited for its end.
    expect(await hooks.deliveries("slow")).toMatchObject([{ state: "waiting", attempts: 0 }]);
  });

  it("does not follow a redirect, and waits as long as Retry-After says", async () => {
    const hooks = webhooksOf();
    await hooks.add("moved", "302");
    await hooks.add("busy", "429+7200");
    await hooks.stub().deliver([aDelivery("d1", "moved"), aDelivery("d2", "busy")]);
    await settled(hooks, "moved", {
      state: "waiting",
      last_error: "the endpoint answered 302, a redirect, which is not followed",
    });
    await settled(hooks, "busy", { state: "waiting", last_status: 429 });
    const [busy] = await hooks.deliveries("busy");
    expect(Date.parse(busy?.next_attempt_at ?? "") - Date.now()).toBeGreaterThan(7_100_000);
  });

  it("is skipped while its endpoint is disabled, and a waiting one is sent when it is enabled", async () => {
    const hooks = webhooksOf();
    await hooks.add("alerts", LATER);
    await hooks.stub().deliver([aDelivery("d1", "alerts")]);
    await settled(hooks, "alerts", { attempts: 1 });
    expect((await hooks.change("alerts", { enabled: false })).status).toBe(200);
    await hooks.stub().deliver([aDelivery("d2", "alerts")]);
    expect((await hooks.deliveries("alerts")).map(({ id, state }) => [id, state])).toEqual([
      ["d2", "skipped"],
      ["d1", "waiting"],
    ]);
    await hooks.change("alerts", { enabled: true });
    await passTime(hooks);
    expect((await hooks.received("alerts", 2)).map(({ headers }) => headers["webhook-id"])).toEqual(["d1", "d1"]);
  });
});

describe("endpoints of webhooks", () => {
  it("show their secret once, and sign with the old and the new secret for a day after a rotation", async () => {
    const hooks = webhooksOf();
    const { secret } = await hooks.add("alerts", "200");
    expect(secret).toMatch(/^whsec_[A-Za-z0-9+/]{43}=$/);
    const rotated = (await (await post(`/v1/${hooks.ecosystem}/webhooks/alerts/secret`, {})).json()) as {
      secret: string;
      old_secret_until: string;
    };
    expect(rotated.secret).not.toBe(secret);
    expect(Date.parse(rotated.old_secret_until) - Date.now()).toBeGreaterThan(86_000_000);
    await hooks.stub().deliver([aDelivery("d1", "alerts")]);
    const [message] = await hooks.received("alerts", 1);
    for (const valid of [secret, rotated.secret]) verified(valid, message as { headers: object; body: string });
    const everything = JSON.stringify([await hooks.list(), await hooks.deliveries("alerts")]);
    for (const hidden of [secret, rotated.secret]) expect(everything).not.toContain(hidden.slice(6));
    expect((await hooks.put("alerts", { url: `https://example.org/new` })).status).toBe(200);
  });

  it("say in a test that their name does not resolve", async () => {
    const webhooks = webhooksOf();
    await webhooks.put("nowhere", { url: "https://no-such-host.invalid/hook/secret" });
    const answer = await (await post(`/v1/${webhooks.ecosystem}/webhooks/nowhere/test`, {})).json<{ error: string }>();
    expect(answer.error).not.toMatch(/internal error|reference|secret/);
    expect(answer.error).toContain("https://no-such-host.invalid");
  });

  it("are tested without a delivery", async () => {
    const hooks = webhooksOf();
    const { secret } = await hooks.add("alerts", "200,404", { enabled: false });
    const test = () => post(`/v1/${hooks.ecosystem}/webhooks/alerts/test`, {});
    expect(await (await test()).json()).toMatchObject({
      delivered: true,
      status: 200,
      duration_ms: expect.any(Number),
    });
    expect(await (await test()).json()).toMatchObject({ delivered: false, status: 404 });
    const [message] = await hooks.received("alerts", 2);
    expect(verified(secret, message as { headers: object; body: string })).toMatchObject({
      type: "webhook.test",
      data: { endpoint: "alerts" },
    });
    expect(await hooks.deliveries("alerts")).toEqual([]);
  });

  it.each([
    [{ url: "mailto:a@example.org" }, "/url"],
    [{ url: "https://user:secret@example.org/" }, "/url"],
    [{ url: "example.org" }, "/url"],
    [{ url: "https://example.org/", secret: "whsec_short" }, "/secret"],
    [{ url: "https://example.org/", events: [] }, "/events"],
    [{}, "/url"],
  ])("are refused with a pointer to the field: %j", async (body, pointer) => {
    const problem = await problemOf(await webhooksOf().put("alerts", body));
    expect(problem).toMatchObject({ status: 422, errors: [{ pointer }] });
  });

  it("are changed by administrators only; others see the host of the URL, not the path", async () => {
    const hooks = webhooksOf();
    await hooks.put("chat", { url: "https://chat.example.org/hooks/T0/secret-part" });
    const made = await post("/v1/tokens", {
      name: "n",
      scopes: ["signals:read", "policy:write"],
      ecosystems: [hooks.ecosystem],
    });
    const { token } = (await made.json()) as { token: string };
    const base = `/v1/${hooks.ecosystem}/webhooks`;
    const list = (await (await call(base, { token })).json()) as { webhooks: { url: string }[] };
    expect(list.webhooks).toMatchObject([{ id: "chat", url: "https://chat.example.org/…" }]);
    for (const refused of [
      post(`${base}/chat`, { url: "https://x.example.org" }, { token, method: "PUT" }),
      post(`${base}/chat/test`, {}, { token }),
      call(`${base}/chat`, { token, method: "DELETE" }),
    ]) {
      expect((await problemOf(await refused)).status).toBe(403);
    }
    expect((await hooks.list())[0]?.url).toBe("https://chat.example.org/hooks/T0/secret-part");
  });

  it("are deleted with their waiting deliveries", async () => {
    const hooks = webhooksOf();
    await hooks.add("alerts", "500+7200");
    await hooks.stub().deliver([aDelivery("d1", "alerts")]);
    await settled(hooks, "alerts", { attempts: 1 });
    const at = `/v1/${hooks.ecosystem}/webhooks/alerts`;
    expect((await call(at, { method: "DELETE" })).status).toBe(204);
    expect((await problemOf(await call(at, { method: "DELETE" }))).status).toBe(404);
    expect((await problemOf(await call(`${at}/deliveries`))).status).toBe(404);
    expect((await problemOf(await post(`${at}/test`, {}))).status).toBe(404);
    expect((await problemOf(await hooks.change("alerts", { enabled: true }))).status).toBe(404);
    expect(await hooks.stub().deliver([aDelivery("d1", "alerts")])).toEqual({ unknown: ["d1"] });
  });

  it("are limited to a hundred", async () => {
    const hooks = webhooksOf(freshEcosystem());
    for (let n = 0; n < 100; n++)
      await hooks.stub().put(`e${n}`, { url: "https://example.org/", enabled: true, description: null });
    expect((await problemOf(await hooks.put("one-more", { url: "https://example.org/" }))).status).toBe(409);
  });
});
