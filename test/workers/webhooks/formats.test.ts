import { evictDurableObject, runDurableObjectAlarm } from "cloudflare:test";
import { describe, expect, inject, it, vi } from "vitest";
import { SERVICES } from "../../harness/webhook-services.ts";
import { makeToken } from "../access/tokens-under-test.ts";
import { call, problemOf } from "../api/calls.ts";
import { aDelivery, webhooksOf } from "./webhooks-under-test.ts";

const patience = { timeout: 45_000 };
const KEY = "0123456789abcdef0123456789abcdef";
const gap = {
  seq: 7,
  id: "s7.abcdef",
  signal: "CAPABILITY_GAP",
  source: "ganglion/observations",
  ecosystem: "default",
  timestamp: "2026-01-31T12:00:00.000Z",
  received_at: "2026-01-31T12:00:00.000Z",
  facts: { gap_name: "slow-writer", gap_reason: "p95 is <900 ms> & more", alignment_score: 0.8 },
};
const resolved = { ...gap, id: "s9.abcdef", signal: "CAPABILITY_GAP_RESOLVED" };

const state = (hooks: ReturnType<typeof webhooksOf>, endpoint: string, wanted: object) =>
  vi.waitFor(async () => expect((await hooks.deliveries(endpoint))[0]).toMatchObject(wanted), patience);

describe("an endpoint with a format", () => {
  it("sends each service what its schema takes, and takes its answers for what they mean", async () => {
    const hooks = webhooksOf();
    // As the services answer: 200 with a text, 204, 202 twice, 200 with JSON.
    const answers = { slack: "200", discord: "204", teams: "202", pagerduty: "202", ntfy: "200" } as const;
    const formats = Object.keys(SERVICES) as (keyof typeof SERVICES)[];
    for (const format of formats)
      await hooks.add(format, answers[format], {
        format,
        ...(format === "pagerduty" ? { routing_key: KEY } : {}),
        ...(format === "ntfy" ? { topic: "alerts" } : {}),
      });
    await hooks
      .stub()
      .deliver(
        formats.flatMap((format) => [
          aDelivery(`${format}.1`, format, gap),
          aDelivery(`${format}.2`, format, resolved),
        ]),
      );
    for (const format of formats) {
      const messages = await hooks.received(format, 2);
      for (const { headers, body } of messages) {
        expect(headers["content-type"]).toBe("application/json");
        expect(SERVICES[format].parse(JSON.parse(body))).toBeDefined();
      }
      expect(JSON.stringify(messages)).toMatch(/slow-writer/);
      await state(hooks, format, { state: "delivered", last_status: Number(answers[format]) });
    }
    const events = (await hooks.received("pagerduty", 2)).map(
      ({ body }) => JSON.parse(body) as { event_action: string; dedup_key: string },
    );
    expect(new Set(events.map(({ event_action: action }) => action))).toEqual(new Set(["trigger", "resolve"]));
    expect(new Set(events.map(({ dedup_key: key }) => key)).size).toBe(1);
    expect((await hooks.received("slack", 2)).map(({ body }) => body).join()).toContain(
      `https://edge.test/app/${hooks.ecosystem}/chain/s7.abcdef`,
    );
  });

  it("waits as long as Slack and Discord say when they are asked too often", async () => {
    const hooks = webhooksOf();
    await hooks.add("slack", "429+7200,200", { format: "slack" });
    await hooks.add("discord", "429+7200.5,204", { format: "discord" });
    await hooks.stub().deliver([aDelivery("1", "slack", gap), aDelivery("2", "discord", gap)]);
    for (const endpoint of ["slack", "discord"]) {
      await state(hooks, endpoint, { state: "waiting", attempts: 1, last_status: 429 });
      const [delivery] = await hooks.deliveries(endpoint);
      expect(Date.parse(delivery?.next_attempt_at ?? "")).toBeGreaterThan(Date.now() + 7_000_000);
    }
  });

  it("sends one CloudEvent, signed, with the headers of its own, whose values nobody is shown", async () => {
    const hooks = webhooksOf();
    const headers = { Authorization: "Bearer very-secret", "X-Team": "on-call" };
    const made = await hooks.add("events", "200", { format: "cloudevents", headers });
    await hooks.stub().deliver([aDelivery("1", "events", gap)]);
    const [message] = await hooks.received("events", 1);
    expect(message?.headers).toMatchObject({
      "content-type": "application/cloudevents+json; charset=utf-8",
      authorization: "Bearer very-secret",
      "x-team": "on-call",
      "webhook-signature": expect.stringMatching(/^v1,/),
    });
    expect(JSON.parse(message?.body ?? "")).toMatchObject({
      specversion: "1.0",
      type: "CAPABILITY_GAP",
      id: "s7.abcdef",
      data: gap.facts,
    });
    expect(made).toMatchObject({ format: "cloudevents", header_names: ["Authorization", "X-Team"] });
    // Put again without headers, the endpoint keeps them; the values come back in no answer.
    const again = await hooks.put("events", { url: made.url, format: "cloudevents" });
    expect(await again.json()).toMatchObject({ header_names: ["Authorization", "X-Team"] });
    expect(JSON.stringify([made, await hooks.list()])).not.toContain("very-secret");
  });

  it("makes the body by its template, and gives a message up that the template cannot say", async () => {
    const hooks = webhooksOf();
    await hooks.add("text", "200", { template: "signal + ': ' + facts.gap_name" });
    await hooks.stub().deliver([aDelivery("1", "text", gap)]);
    const [message] = await hooks.received("text", 1);
    expect([message?.body, message?.headers["content-type"]]).toEqual([
      "CAPABILITY_GAP: slow-writer",
      "text/plain; charset=utf-8",
    ]);
    await hooks.stub().deliver([aDelivery("2", "text", { n: 1 })]);
    await state(hooks, "text", {
      id: "2",
      state: "waiting",
      attempts: 1,
      last_error: expect.stringMatching(/^the template of the endpoint cannot/),
    });
    // One message that cannot be said delays no other.
    await hooks.stub().deliver([aDelivery("3", "text", gap)]);
    await hooks.received("text", 2);
    const { token } = await makeToken(hooks.ecosystem, ["signals:read"]);
    const shown = await (await call(`/v1/${hooks.ecosystem}/webhooks`, { token })).json();
    expect(JSON.stringify(shown)).not.toContain("gap_name");
    expect(JSON.stringify(await hooks.list())).toContain("gap_name");
  });

  it.each<[object, string]>([
    [{ format: "smoke" }, "/format"],
    [{ format: "pagerduty" }, "/routing_key"],
    [{ format: "ntfy" }, "/topic"],
    [{ template: "facts." }, "/template"],
    [{ template: "1", format: "slack" }, "/template"],
    [{ headers: { "Transfer-Encoding": "chunked" } }, "/headers/Transfer-Encoding"],
    [{ headers: { "webhook-signature": "v1,x" } }, "/headers/webhook-signature"],
    [{ headers: { Host: "x" } }, "/headers/Host"],
    [{ headers: { "X-A": "a\r\nX-B: b" } }, "/headers/X-A"],
  ])("is refused with %j", async (settings, pointer) => {
    const hooks = webhooksOf();
    const refused = await problemOf(await hooks.put("e", { url: "https://example.org/", ...settings }));
    expect([refused.status, refused.errors?.map((error) => error.pointer)]).toEqual([422, [pointer]]);
  });
});

describe("an endpoint that is asked first", () => {
  const add = (hooks: ReturnType<typeof webhooksOf>, path: string) =>
    hooks.put("asked", { url: `${inject("receiver")}/${hooks.ecosystem}.asked-first/200/${path}`, handshake: true });
  const box = async (hooks: ReturnType<typeof webhooksOf>, name: string, count: number) =>
    (await (await fetch(`${inject("receiver")}/${hooks.ecosystem}.${name}?count=${count}`)).json()) as {
      headers: Record<string, string>;
    }[];

  it("is sent nothing until it allows it, and no more than it allows then", async () => {
    const hooks = webhooksOf();
    expect((await add(hooks, "refuse")).status).toBe(201);
    await hooks.stub().deliver([aDelivery("1", "asked"), aDelivery("2", "asked")]);
    await state(hooks, "asked", { state: "waiting" });
    await vi.waitFor(
      async () =>
        expect((await hooks.list())[0]?.last_error).toMatch(
          /was asked whether it takes messages \(OPTIONS\), and answered 405/,
        ),
      patience,
    );
    expect(await box(hooks, "asked-first", 0)).toEqual([]);

    // One message a minute: the second waits.
    expect(await (await add(hooks, "allow-1")).json()).toMatchObject({ handshake: { allowed: false } });
    const [asked] = (await box(hooks, "asked-first.asked", 2)).slice(-1);
    expect(asked?.headers).toMatchObject({ "webhook-request-origin": "edge.test", "webhook-request-rate": "1200" });
    await box(hooks, "asked-first", 1);
    await vi.waitFor(
      async () =>
        expect(await hooks.list()).toMatchObject([{ waiting: 1, handshake: { allowed: true, per_minute: 1 } }]),
      patience,
    );
    const before = await box(hooks, "asked-first.asked", 2);
    await evictDurableObject(hooks.stub());
    await runDurableObjectAlarm(hooks.stub());
    expect(await hooks.list()).toMatchObject([{ waiting: 1 }]);
    expect(await box(hooks, "asked-first.asked", 2)).toHaveLength(before.length);
  });
});
