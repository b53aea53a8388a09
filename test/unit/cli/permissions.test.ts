import { describe, expect, it } from "vitest";
import { startEdge } from "./fake-edge.ts";
import { ganglion } from "./ganglion.ts";

const request = {
  id: "perm-1",
  question: "May Bash be used? Publish (gpu-01 ~/shop)",
  recipient: "ops",
  options: ["allow", "deny"],
  state: "open",
  answer: null,
  answered_by: null,
  answered_at: null,
  asked_by: "claude",
  asked_at: "2026-01-01T00:00:00.000Z",
  expires_at: "2026-01-01T00:10:00.000Z",
  closed_at: null,
  on_timeout: null,
  reminders: 0,
  escalate_to: null,
  escalated_at: null,
  cause: null,
  signal: null,
  permission: {
    tool_name: "Bash",
    description: "Publish",
    input_preview: "npm publish",
    session: "gpu-01 ~/shop",
  },
};
const decided = {
  ...request,
  state: "answered",
  answer: "deny",
  comment: "not now",
  answered_by: { name: "ada", way: "token" },
  answered_at: "2026-01-01T00:01:00.000Z",
  closed_at: "2026-01-01T00:01:00.000Z",
};

describe("ganglion permissions", () => {
  it("lists the open requests with what they are about", async () => {
    const edge = await startEdge(() => [200, { questions: [request], next: null }]);
    const { code, out } = await ganglion(["permissions", "--url", edge.url]);
    expect([code, out]).toEqual([0, expect.stringMatching(/perm-1 +open +Bash +ops .*npm publish/)]);
    const [{ url } = { url: new URL("http://none") }] = edge.received;
    expect([url.pathname, url.searchParams.get("kind"), url.searchParams.get("state")]).toEqual([
      "/v1/default/questions",
      "permission",
      "open",
    ]);
  });

  it("shows one with where the session works", async () => {
    const edge = await startEdge(() => [200, request]);
    const { out } = await ganglion(["permissions", "show", "perm-1", "--url", edge.url]);
    expect(out).toMatch(/tool +Bash[\s\S]+input +npm publish[\s\S]+session +gpu-01 ~\/shop/);
  });

  it("decides with a key of its own, so that a call that is sent again is one decision", async () => {
    const edge = await startEdge(() => [200, decided]);
    const args = ["permissions", "deny", "perm-1", "--comment", "not now", "--url", edge.url];
    const { code, out } = await ganglion(args);
    expect([code, out]).toEqual([0, expect.stringMatching(/state +deny[\s\S]+decided by +ada \(token\)/)]);
    expect(edge.received).toMatchObject([{ method: "POST", body: { behavior: "deny", comment: "not now" } }]);
    expect(edge.received[0]?.url.pathname).toBe("/v1/default/permissions/perm-1/answer");
  });
});
