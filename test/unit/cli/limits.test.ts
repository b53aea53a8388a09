import { describe, expect, it } from "vitest";
import type { Limit } from "../../../src/core/limits/api.ts";
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
  used: { requests: 12, input_tokens: 0, output_tokens: 0 },
  held: 3,
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
      expect.stringMatching(/anthropic +closed +2026-01-01T12:00:00.000Z +12\/50 .* +3 +4.5\/20 +usage limit/),
    ]);
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
