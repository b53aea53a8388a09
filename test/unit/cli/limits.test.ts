import { describe, expect, it } from "vitest";
import type { Limit } from "../../../src/core/limits/api.ts";
import type { SpendingBudget } from "../../../src/core/limits/budgets/api.ts";
import { startEdge } from "./fake-edge.ts";
import { ganglion } from "./ganglion.ts";

const limit: Limit = {
  name: "anthropic",
  requests_per_minute: 50,
  usd_per_day: 20,
  zone: "UTC",
  reservation_seconds: 600,
  ramp_seconds: 60,
  when_away: "open",
  state: "closed",
  closed_until: "2026-01-01T12:00:00.000Z",
  reason: "usage limit",
  parked: 7,
  used: { requests: 12, input_tokens: 0, output_tokens: 0 },
  held: 3,
  shares: [{ host: "gpu-01", shares: 2, calls: 4, requests: 40, usd: 0.5 }],
  spent_usd: 4.5,
  held_usd: 0.5,
  created_at: "2026-01-01T00:00:00.000Z",
  changed_at: "2026-01-01T00:00:00.000Z",
};

describe("ganglion limits", () => {
  it("lists what is used of each, and what is closed until when", async () => {
    const { url } = await startEdge(() => [200, { limits: [limit] }]);
    const { code, out } = await ganglion(["limits", "--url", url]);
    expect([code, out]).toEqual([
      0,
      expect.stringMatching(
        /anthropic +closed +2026-01-01T12:00:00.000Z +7 +12\/50 .* +3 +gpu-01 +4.5\/20 +usage limit/,
      ),
    ]);
  });

  it("shows how many tasks are parked for a closed one, in words and in JSON", async () => {
    const { url } = await startEdge(({ url: { pathname } }) => [
      200,
      pathname.endsWith("/limits") ? { limits: [limit] } : limit,
    ]);
    expect((await ganglion(["limits", "show", "anthropic", "--url", url])).out).toMatch(/^tasks parked +7$/m);
    for (const words of [["limits"], ["limits", "show", "anthropic"]])
      expect(JSON.parse((await ganglion([...words, "--json", "--url", url])).out)).toMatchObject({ parked: 7 });
  });

  it("sets, closes, opens and deletes by the calls of the API", async () => {
    const { url, received } = await startEdge(({ method }) => (method === "DELETE" ? [204, undefined] : [200, limit]));
    const run = async (...words: string[]) => expect((await ganglion(["limit", ...words, "--url", url])).code).toBe(0);
    await run(
      "set",
      "anthropic",
      "--requests-per-minute",
      "50",
      "--usd-per-day",
      "20",
      "--ramp",
      "2m",
      "--zone",
      "UTC",
    );
    await run("close", "anthropic", "--for", "10m", "--reason", "usage limit");
    await run("open", "anthropic");
    await run("delete", "anthropic");
    expect(received.map(({ method, url: { pathname }, body }) => [method, pathname, body])).toEqual([
      [
        "PUT",
        "/v1/default/limits/anthropic",
        { requests_per_minute: 50, usd_per_day: 20, ramp_seconds: 120, zone: "UTC" },
      ],
      ["POST", "/v1/default/limits/anthropic/close", { retry_after_seconds: 600, reason: "usage limit" }],
      ["POST", "/v1/default/limits/anthropic/open", undefined],
      ["DELETE", "/v1/default/limits/anthropic", undefined],
    ]);
  });

  it("refuses two ends of one closing", async () => {
    const { code, err } = await ganglion([
      ...["limits", "close", "anthropic", "--for", "10m", "--until", "2100-01-01T00:00:00Z"],
      ...["--url", "http://127.0.0.1:1"],
    ]);
    expect([code, err]).toEqual([2, expect.stringContaining("--until or --for")]);
  });
});

describe("ganglion limits budgets", () => {
  const used = { subject: "coder-1", tokens: 0, held_tokens: 0, held_usd: 0.5, until: "2026-01-02T00:00:00.000Z" };
  const budget: SpendingBudget = {
    name: "coders",
    scope: "agent",
    match: "coder-*",
    usd: 5,
    per: "day",
    zone: "UTC",
    at_end: "closed",
    used: [{ ...used, state: "noticed", usd: 4 }],
    subjects: 7,
    created_at: "2026-01-01T00:00:00.000Z",
    changed_at: "2026-01-01T00:00:00.000Z",
  };

  it("lists who has used most of each, and shows one", async () => {
    const { url } = await startEdge(({ url: { pathname } }) => [
      200,
      pathname.endsWith("/budgets") ? { budgets: [budget] } : budget,
    ]);
    const list = await ganglion(["limits", "budgets", "--url", url]);
    expect([list.code, list.out]).toEqual([
      0,
      expect.stringMatching(/coders +agent coder-\* +day +closed +coder-1 +- +4\/5 +noticed/),
    ]);
    const show = await ganglion(["limits", "budgets", "show", "coders", "--url", url]);
    expect([show.code, show.out]).toEqual([
      0,
      expect.stringMatching(/each agent coder-\*[\s\S]*coder-1 +- +4\/5 +\$0.5 +noticed/),
    ]);
  });

  it("sets, looks up one subject and deletes by the calls of the API", async () => {
    const { url, received } = await startEdge(({ method }) => (method === "DELETE" ? [204, undefined] : [200, budget]));
    const run = async (...words: string[]) =>
      expect((await ganglion(["limits", "budgets", ...words, "--url", url])).code).toBe(0);
    await run(
      "set",
      "coders",
      "--scope",
      "agent",
      "--match",
      "coder-*",
      "--usd",
      "5",
      "--at-end",
      "open",
      "--per",
      "life",
    );
    await run("show", "coders", "--subject", "coder-2");
    await run("delete", "coders");
    expect(received.map(({ method, url: { pathname, search }, body }) => [method, pathname + search, body])).toEqual([
      ["PUT", "/v1/default/budgets/coders", { scope: "agent", match: "coder-*", usd: 5, at_end: "open", per: "life" }],
      ["GET", "/v1/default/budgets/coders?subject=coder-2", undefined],
      ["DELETE", "/v1/default/budgets/coders", undefined],
    ]);
  });
});
