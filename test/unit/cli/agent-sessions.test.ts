import { describe, expect, it } from "vitest";
import { startEdge } from "./fake-edge.ts";
import { ganglion } from "./ganglion.ts";

const usage = {
  input_tokens: 20,
  output_tokens: 500,
  cache_read_tokens: 41_500,
  cache_write_tokens: 1_500,
  cost_usd: 0.02,
  requests: 2,
  api_failures: 1,
  tool_calls: 2,
  tool_failures: 1,
  prompts: 1,
  active_seconds: 0,
};
const session = {
  session: "s-1",
  agent: "claude-code",
  source: "team/alice",
  verdict: "waiting",
  since: "2026-01-01T00:00:00.000Z",
  in_words: "waits for a person for 3 min (Bash)",
  tool: "Bash",
  notified: false,
  model: "claude-sonnet-4-5",
  version: null,
  directory: "/srv/shop",
  task: "t-17",
  started_at: "2026-01-01T00:00:00.000Z",
  last_seen_at: "2026-01-01T00:00:00.000Z",
  ended_at: null,
  usage,
  context_tokens: 21_508,
  context_share: 0.1075,
  chains: [{ chain: "t-17", usage }],
};
const listed = { sessions: [session], total: 1, usage };

describe("ganglion agent-sessions", () => {
  it("lists what each session is doing, and what it has used", async () => {
    const edge = await startEdge(() => [200, listed]);
    const args = ["agent-sessions", "--verdict", "waiting", "--chain", "t-17", "--url", edge.url];
    const { out } = await ganglion(args);
    expect(out).toMatch(/^AGENT +SESSION +VERDICT/);
    expect(out).toMatch(
      /^claude-code +s-1 +waiting +\S+ +43520 +\$0\.0200 +2 +2 +11 % +waits for a person for 3 min \(Bash\)$/m,
    );
    expect(edge.received[0]?.url.search).toBe("?verdict=waiting&chain=t-17");
    expect(JSON.parse((await ganglion([...args, "--json"])).out)).toEqual(session);
  });

  it("shows how long sessions may wait, and changes that", async () => {
    const deployment = { waiting_seconds: 300, frozen_seconds: 110, tool_seconds: 14_400 };
    const edge = await startEdge(() => [200, { ...deployment, waiting_seconds: 120, feeds: [], deployment }]);
    const limits = (...changes: string[]) => ganglion(["agent-sessions", "limits", ...changes, "--url", edge.url]);
    expect((await limits()).out).toMatch(/^waiting_seconds +120$/m);
    await limits("waiting=120", "tool=default");
    expect(edge.received.map(({ method, url }) => `${method} ${url.pathname}`)).toEqual([
      "GET /v1/default/agent-sessions/settings",
      "PATCH /v1/default/agent-sessions/settings",
    ]);
    expect(edge.received[1]?.body).toEqual({ waiting_seconds: 120, tool_seconds: null });
    const wrong = await limits("waiting");
    expect([wrong.code, wrong.err]).toEqual([1, expect.stringContaining("waiting=120")]);
  });

  it("shows which limits the use of models is charged to, and changes that", async () => {
    const deployment = { waiting_seconds: 300, frozen_seconds: 110, tool_seconds: 14_400 };
    const feeds = [{ models: "claude-*", limit: "anthropic" }];
    const edge = await startEdge(() => [200, { ...deployment, feeds, deployment }]);
    const run = (...words: string[]) => ganglion(["agent-sessions", "feeds", ...words, "--url", edge.url]);
    expect((await run()).out).toMatch(/^claude-\* +anthropic$/m);
    await run("claude-*=anthropic");
    await run("--none");
    expect(edge.received.map(({ method, body }) => [method, body])).toEqual([
      ["GET", undefined],
      ["PATCH", { feeds }],
      ["PATCH", { feeds: null }],
    ]);
    const wrong = await run("anthropic");
    expect([wrong.code, wrong.err]).toEqual([1, expect.stringContaining("claude-*=anthropic")]);
  });

  it("shows one session with its traces and tasks, and says where there is none", async () => {
    const edge = await startEdge(({ url }) =>
      url.searchParams.get("session") === "s-1" ? [200, listed] : [200, { sessions: [], total: 0, usage }],
    );
    const { out } = await ganglion(["agent-sessions", "s-1", "--url", edge.url]);
    expect(out).toMatch(/^what +waits for a person for 3 min \(Bash\), since 2026/m);
    expect(out).toMatch(/^TRACE OR TASK +TOKENS +COST +REQUESTS$/m);
    expect(out).toMatch(/^t-17 +43520 +\$0\.0200 +2$/m);
    const none = await ganglion(["agent-sessions", "s-2", "--url", edge.url]);
    expect([none.code, none.err]).toEqual([1, expect.stringContaining('no session "s-2" has reported')]);
  });
});
