import { describe, expect, it } from "vitest";
import { startEdge } from "./fake-edge.ts";
import { ganglion } from "./ganglion.ts";

describe("ganglion sessions", () => {
  const session = {
    id: "abcdefghijkl",
    token: "t",
    token_name: "me",
    act: true,
    created_at: "2026-01-01T00:00:00.000Z",
    used_at: "2026-01-01T01:00:00.000Z",
    expires_at: "2026-01-01T13:00:00.000Z",
  };

  it("lists them as a table, or one a line", async () => {
    const edge = await startEdge(() => [200, { sessions: [session] }]);
    const { out } = await ganglion(["sessions", "--url", edge.url]);
    expect(out).toMatch(
      /abcdefghijkl +me +act +2026-01-01T00:00:00.000Z +2026-01-01T01:00:00.000Z +2026-01-01T13:00:00.000Z/,
    );
    expect(JSON.parse((await ganglion(["sessions", "list", "--json", "--url", edge.url])).out)).toEqual(session);
  });

  it("ends one", async () => {
    const edge = await startEdge(() => [204, {}]);
    expect((await ganglion(["sessions", "end", "abcdefghijkl", "--url", edge.url])).out).toContain("abcdefghijkl");
    expect(edge.received.map(({ method, url }) => [method, url.pathname])).toEqual([
      ["DELETE", "/v1/sessions/abcdefghijkl"],
    ]);
  });
});
