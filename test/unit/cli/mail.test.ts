import { describe, expect, it } from "vitest";
import type { MailMessage } from "../../../src/core/mail/api.ts";
import { startEdge } from "./fake-edge.ts";
import { ganglion } from "./ganglion.ts";

const message: MailMessage = {
  id: "m1",
  from: "ada",
  to: "coder",
  subject: null,
  body: { change: 4711 },
  thread: "m1",
  reply_to: null,
  state: "acted",
  sent_at: "2026-01-01T00:00:00.000Z",
  delivered_at: "2026-01-01T00:00:01.000Z",
  read_at: "2026-01-01T00:00:02.000Z",
  acted_at: "2026-01-01T00:00:03.000Z",
  ended_at: "2026-01-01T00:00:03.000Z",
  expires_at: null,
  result: "merged",
};

describe("ganglion mail", () => {
  it("sends a text, or JSON, once, and says who was woken", async () => {
    const sent = { id: "m1", thread: "m1", wake: "asked", hosts: ["gpu-01"], next_wake_at: null };
    const edge = await startEdge(() => [202, sent]);
    const { code, out } = await ganglion([
      "mail",
      "send",
      "coder",
      "please",
      "look",
      "--within",
      "10m",
      "--url",
      edge.url,
    ]);
    expect([code, out]).toEqual([0, expect.stringMatching(/wake +asked\nhosts +gpu-01/)]);
    await ganglion(["mail", "send", "coder", '{"change":4711}', "--id", "m1", "--reply-to", "m0", "--url", edge.url]);
    expect(edge.received.map(({ body }) => body)).toEqual([
      { to: "coder", body: "please look", id: expect.stringMatching(/^[0-9a-f]{8}-/), deliver_within_ms: 600_000 },
      { to: "coder", body: { change: 4711 }, id: "m1", reply_to: "m0" },
    ]);
  });

  it("names the recipients that may have been meant", async () => {
    const problem = { type: "/problems/unknown-recipient", title: "The recipient is unknown", status: 422 };
    const edge = await startEdge(() => [
      422,
      { ...problem, detail: "/to: nobody. Did you mean coder?", near: ["coder"] },
    ]);
    const { code, err } = await ganglion(["mail", "send", "codre", "hello", "--url", edge.url]);
    expect([code, err]).toEqual([1, expect.stringContaining("Did you mean coder?")]);
  });

  it("lists the messages of a box, and takes new ones", async () => {
    const edge = await startEdge(() => [200, { messages: [message], next: null }]);
    const { out } = await ganglion(["mail", "list", "--from", "ada", "--ended", "--url", edge.url]);
    expect(out).toMatch(/m1 +acted +ada +coder .*"change":4711/);
    await ganglion(["mail", "receive", "coder", "--wait", "5s", "--url", edge.url]);
    expect(edge.received[0]?.url.search).toContain("ended=true");
    expect(edge.received[1]).toMatchObject({ method: "POST", body: { max: 10, wait_ms: 5_000 } });
    expect(edge.received[1]?.url.pathname).toBe("/v1/default/mailboxes/coder/receive");
  });

  it("says that a message was read, and what was done", async () => {
    const edge = await startEdge(() => [200, message]);
    await ganglion(["mail", "read", "m1", "--url", edge.url]);
    const { out } = await ganglion(["mail", "act", "m1", "--result", "merged", "--url", edge.url]);
    expect(out).toMatch(/state +acted/);
    expect(edge.received.map(({ url }) => url.pathname)).toEqual([
      "/v1/default/mail/m1/read",
      "/v1/default/mail/m1/act",
    ]);
    expect(edge.received[1]?.body).toEqual({ result: "merged" });
  });

  it("keeps numbers that JavaScript would change as texts of their digits, in messages and in results", async () => {
    const edge = await startEdge(({ method, url }) =>
      url.pathname.endsWith("/act")
        ? [200, message]
        : method === "POST"
          ? [202, { id: "m1", thread: "m1", wake: "none", hosts: [], next_wake_at: null }]
          : [200, message],
    );
    await ganglion(["mail", "send", "coder", '{"id":9007199254740993,"n":1.5}', "--url", edge.url]);
    await ganglion(["mail", "act", "m1", "--result", "[12345678901234567890]", "--url", edge.url]);
    const bodies = edge.received.map(({ body }) => body);
    expect(bodies).toMatchObject([{ body: { id: "9007199254740993", n: 1.5 } }, { result: ["12345678901234567890"] }]);
  });

  it("takes what only looks like JSON for a text", async () => {
    const sent = { id: "m1", thread: "m1", wake: "none", hosts: [], next_wake_at: null };
    const edge = await startEdge(() => [202, sent]);
    await ganglion(["mail", "send", "coder", "[sic] it is broken", "--url", edge.url]);
    expect(edge.received).toMatchObject([{ body: { body: "[sic] it is broken" } }]);
  });
});
