import { describe, expect, it } from "vitest";
import { startEdge } from "./fake-edge.ts";
import { ganglion } from "./ganglion.ts";

const endpoint = {
  id: "alerts",
  url: "https://example.org/hook",
  enabled: true,
  description: null,
  waiting: 2,
  created_at: "2026-01-01T00:00:00.000Z",
  last_error: "the endpoint answered 500",
};

describe("ganglion webhooks", () => {
  it("lists endpoints as a table, or one a line", async () => {
    const edge = await startEdge(() => [200, { webhooks: [endpoint] }]);
    const { out } = await ganglion(["webhooks", "--url", edge.url]);
    expect(out).toMatch(/alerts +yes +2 +- +the endpoint answered 500 +https:\/\/example.org\/hook/);
    expect(JSON.parse((await ganglion(["webhooks", "list", "--json", "--url", edge.url])).out)).toEqual(endpoint);
  });

  it("adds one and shows its secret once", async () => {
    const edge = await startEdge(() => [201, { ...endpoint, secret: "whsec_abc" }]);
    const args = ["webhooks", "add", "alerts", "https://example.org/hook", "--description", "for people"];
    expect((await ganglion([...args, "--url", edge.url])).out).toContain("whsec_abc");
    expect(edge.received[0]).toMatchObject({
      method: "PUT",
      body: { url: "https://example.org/hook", description: "for people", enabled: true },
    });
    expect(edge.received[0]?.url.pathname).toBe("/v1/default/webhooks/alerts");
  });

  it("switches on and off, rotates and removes", async () => {
    const edge = await startEdge(({ method }) =>
      method === "DELETE" ? [204, {}] : [200, { ...endpoint, secret: "whsec_new" }],
    );
    const run = (...args: string[]) => ganglion(["webhooks", ...args, "--url", edge.url]);
    expect((await run("disable", "alerts")).err).toContain("waiting deliveries are kept for a day");
    await run("enable", "alerts");
    expect((await run("rotate", "alerts")).out).toContain("whsec_new");
    expect((await run("remove", "alerts")).out).toContain("alerts");
    expect(edge.received.map(({ method, body }) => [method, body])).toEqual([
      ["PATCH", { enabled: false }],
      ["PATCH", { enabled: true }],
      ["POST", undefined],
      ["DELETE", undefined],
    ]);
  });

  it("fails when a test message was not taken", async () => {
    const edge = await startEdge(() => [
      200,
      { delivered: false, status: 404, error: "the endpoint answered 404", duration_ms: 5 },
    ]);
    const { code, out, err } = await ganglion(["webhooks", "test", "alerts", "--url", edge.url]);
    expect([code, err]).toEqual([1, "ganglion: the endpoint answered 404\n"]);
    expect(out).toMatch(/delivered +no\nstatus +404/);
  });

  it("shows what was sent, and what is tried again when", async () => {
    const delivery = {
      id: "d1",
      type: "rule.fired",
      state: "waiting",
      attempts: 3,
      accepted_at: "2026-01-01T00:00:00.000Z",
      last_status: 503,
      next_attempt_at: "2026-01-01T00:02:00.000Z",
    };
    const edge = await startEdge(() => [200, { deliveries: [delivery] }]);
    const { out } = await ganglion(["webhooks", "deliveries", "alerts", "--limit", "5", "--url", edge.url]);
    expect(out).toMatch(/d1 +rule.fired +waiting +3 +503 +2026-01-01T00:02:00.000Z/);
    expect(edge.received[0]?.url.search).toBe("?limit=5");
  });
});
