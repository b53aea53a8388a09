import { evictDurableObject, runDurableObjectAlarm } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, describe, expect, it, vi } from "vitest";
import type { AgentSessions } from "../../../src/core/agent-sessions/api.ts";
import type { Attention } from "../../../src/core/attention/api.ts";
import type { Limit } from "../../../src/core/limits/api.ts";
import type { SpendingBudget } from "../../../src/core/limits/budgets/api.ts";
import { workerBoard } from "../../../src/workers/bindings/objects.ts";
import logs from "../../fixtures/telemetry/claude-code-logs.json" with { type: "json" };
import metrics from "../../fixtures/telemetry/claude-code-metrics-cumulative.json" with { type: "json" };
import traces from "../../fixtures/telemetry/gen-ai-traces.json" with { type: "json" };
import { makeToken } from "../access/tokens-under-test.ts";
import { call, freshEcosystem, post, problemOf } from "../api/calls.ts";
import { follow, logOf } from "../log-under-test.ts";

afterEach(() => {
  vi.useRealTimers();
});

const SESSION = "8f14e45f-ceea-467f-a0e6-4a1c3d2b9f10";
const boardOf = (eco: string) => workerBoard(env, eco);
const head = async (eco: string) => (await logOf(eco).status()).head_seq;
const settle = async (eco: string) => boardOf(eco).catchUp(await head(eco));

async function send(eco: string, kind: string, document: unknown, token?: string): Promise<unknown> {
  const response = await post(`/v1/${eco}/otlp/v1/${kind}`, document, token === undefined ? {} : { token });
  if (response.status !== 200) throw new Error(`${response.status}: ${await response.text()}`);
  return response.json();
}

async function sessions(eco: string, query = ""): Promise<AgentSessions> {
  await settle(eco);
  return (await call(`/v1/${eco}/agent-sessions${query}`)).json();
}

/** Calls the hook of a session, which is there at once. */
async function hook(eco: string, event: string, more: object = {}): Promise<void> {
  const answer = await post(`/v1/${eco}/hooks/claude-code`, { session_id: "s", hook_event_name: event, ...more });
  expect([answer.status, await answer.json()]).toEqual([200, {}]);
  await settle(eco);
}

const later = (ms: number) => vi.useFakeTimers({ toFake: ["Date"], now: Date.now() + ms });

describe("telemetry of agents", () => {
  it("shows a session with its tokens and its cost, exactly, however often an export is repeated", async () => {
    const eco = freshEcosystem();
    const packed = await new Response(
      new Response(JSON.stringify(logs)).body?.pipeThrough(new CompressionStream("gzip")),
    ).arrayBuffer();
    const headers = { "Content-Type": "application/json", "Content-Encoding": "gzip" };
    for (let again = 0; again < 3; again++) {
      const answer = await call(`/v1/${eco}/otlp/v1/logs`, { method: "POST", body: packed, headers });
      expect([answer.status, await answer.json()]).toEqual([200, {}]);
    }
    for (let again = 0; again < 2; again++) expect(await send(eco, "metrics", metrics)).toEqual({});
    const { total, usage, sessions: found } = await sessions(eco);
    expect(await head(eco)).toBe(9);
    expect([total, usage]).toMatchObject([1, { input_tokens: 20, output_tokens: 500, cost_usd: 0.02, tool_calls: 2 }]);
    expect(found[0]).toMatchObject({ session: SESSION, agent: "claude-code", source: "claude-code", verdict: "idle" });
    const ofTrace = await sessions(eco, "?chain=4bf92f3577b34da6a3ce929d0e0e4736");
    expect(ofTrace.usage).toMatchObject({ cost_usd: 0.02, tool_calls: 1, active_seconds: 0 });
    expect((await sessions(eco, "?verdict=frozen")).total).toBe(0);
  });

  it("takes a bounded number of rows for an export, and none but for its sessions", async () => {
    const eco = freshEcosystem();
    await send(eco, "traces", traces);
    await settle(eco);
    const written = async () => (await boardOf(eco).usage()).rows_written + (await logOf(eco).usage()).rows_written;
    const before = await written();
    await send(eco, "logs", logs);
    await settle(eco);
    expect((await written()) - before).toBeLessThan(12);
  });

  it("counts what it refuses, says why, and takes the rest", async () => {
    const eco = freshEcosystem();
    const [resource] = logs.resourceLogs;
    const broken = { resourceLogs: [resource, { scopeLogs: [{ logRecords: ["no record"] }] }, 7] };
    expect(await send(eco, "logs", broken)).toEqual({
      partialSuccess: {
        rejectedLogRecords: "2",
        errorMessage: "resourceLogs holds something that is no object; logRecords holds something that is no object",
      },
    });
    expect((await sessions(eco)).usage.requests).toBe(2);
    expect(await send(eco, "metrics", {})).toEqual({});
  });

  it("takes protocol buffers, which many SDKs send, and answers in them", async () => {
    const eco = freshEcosystem();
    const text = (value: string) => new TextEncoder().encode(value);
    const part = (field: number, ...bytes: number[]) => [field * 8 + 2, bytes.length, ...bytes];
    const attribute = (key: string, value: string) =>
      part(6, ...part(1, ...text(key)), ...part(2, ...part(1, ...text(value))));
    const record = [...attribute("event.name", "codex.user_prompt"), ...attribute("conversation.id", "c-1")];
    const body = Uint8Array.from(part(1, ...part(2, ...part(2, ...record))));
    const headers = { "Content-Type": "application/x-protobuf" };
    const answer = await call(`/v1/${eco}/otlp/v1/logs`, { method: "POST", body, headers });
    expect([answer.status, answer.headers.get("content-type")]).toEqual([200, "application/x-protobuf"]);
    expect((await answer.arrayBuffer()).byteLength).toBe(0);
    expect((await sessions(eco)).sessions[0]).toMatchObject({ agent: "codex", session: "c-1", usage: { prompts: 1 } });
    const cut = await call(`/v1/${eco}/otlp/v1/logs`, { method: "POST", body: body.slice(0, 20), headers });
    expect(await problemOf(cut)).toMatchObject({ status: 422, detail: expect.stringContaining("cut short") });
  });

  it("refuses what is no export, and says what is wrong", async () => {
    const eco = freshEcosystem();
    const refused = await problemOf(
      await post(`/v1/${eco}/otlp/v1/traces`, "x", { headers: { "Content-Type": "text/plain" } }),
    );
    expect(refused).toMatchObject({ status: 415, detail: expect.stringContaining("application/x-protobuf") });
    expect(await problemOf(await post(`/v1/${eco}/otlp/v1/logs`, "[]"))).toMatchObject({ status: 422 });
    expect(await problemOf(await post(`/v1/${eco}/otlp/v1/logs`, "{"))).toMatchObject({ status: 400 });
    expect(await problemOf(await post(`/v1/${eco}/hooks/claude-code`, { session_id: "s" }))).toMatchObject({
      status: 422,
      errors: [{ pointer: "/hook_event_name" }],
    });
  });

  it("is in the name of the one source that a token is bound to, and of no other", async () => {
    const eco = freshEcosystem();
    const mine = await makeToken(eco, ["signals:write"], { sources: ["team/alice"] });
    await send(eco, "logs", logs, mine.token);
    expect((await sessions(eco)).sessions[0]?.source).toBe("team/alice");
    const named = JSON.parse(
      JSON.stringify(logs).replace(
        '"attributes":[',
        '"attributes":[{"key":"ganglion.source","value":{"stringValue":"team/bob"}},',
      ),
    );
    const refused = await post(`/v1/${eco}/otlp/v1/logs`, named, { token: mine.token });
    expect(await problemOf(refused)).toMatchObject({ status: 403, detail: expect.stringContaining("team/bob") });
  });
});

describe("a session that needs a person", () => {
  it("is told of once when it waits too long, stands in the attention list, and is told of once when it goes on", async () => {
    const eco = freshEcosystem();
    const stream = await follow(eco, ["Q_SESSION_WAITING", "Q_SESSION_RESUMED", "Q_SESSION_FROZEN"]);
    await hook(eco, "UserPromptSubmit", { prompt: "the secret prompt", cwd: "/srv/shop" });
    await hook(eco, "PreToolUse", {
      tool_name: "Bash",
      tool_use_id: "t1",
      tool_input: { command: "the secret command" },
    });
    await hook(eco, "PermissionRequest", { tool_name: "Bash", tool_input: { command: "the secret command" } });
    expect((await sessions(eco)).sessions[0]).toMatchObject({
      verdict: "waiting",
      tool: "Bash",
      directory: "/srv/shop",
    });
    await evictDurableObject(boardOf(eco));
    later(301_000);
    await boardOf(eco).workers();
    await runDurableObjectAlarm(boardOf(eco));
    const waiting = await stream.next();
    expect(waiting).toMatchObject({
      signal: "Q_SESSION_WAITING",
      facts: { session: "s", agent: "claude-code", tool: "Bash" },
    });
    const { items }: Attention = await (await call(`/v1/${eco}/attention`)).json();
    expect(items).toMatchObject([
      { kind: "session_waiting", severity: "warning", chain: waiting.id, id: "session_waiting/claude-code/s" },
    ]);
    await runDurableObjectAlarm(boardOf(eco));
    await hook(eco, "PostToolUse", { tool_name: "Bash", tool_use_id: "t1", tool_response: "the secret output" });
    expect(await stream.next()).toMatchObject({
      signal: "Q_SESSION_RESUMED",
      facts: { was: "waiting", verdict: "working" },
    });
    expect(stream.waiting).toEqual([]);
    expect((await (await call(`/v1/${eco}/attention`)).json<Attention>()).items).toEqual([]);
    expect(await (await call(`/v1/${eco}/signals?limit=1000`)).text()).not.toContain("secret");
  });

  it("waits as long as its ecosystem lets it, from the moment of the change on and over sleep; null is the deployment's time", async () => {
    const eco = freshEcosystem();
    const path = `/v1/${eco}/agent-sessions/settings`;
    const change = (body: object, token?: string) =>
      call(path, {
        method: "PATCH",
        body: JSON.stringify(body),
        headers: { "Content-Type": "application/json" },
        ...(token && { token }),
      });
    const deployment = { waiting_seconds: 300, frozen_seconds: 110, tool_seconds: 14_400 };
    expect(await (await call(path)).json()).toEqual({ ...deployment, feeds: [], deployment });
    const stream = await follow(eco, ["Q_SESSION_WAITING", "Q_SESSION_FROZEN"]);
    await hook(eco, "UserPromptSubmit", { prompt: "go" });
    await hook(eco, "PermissionRequest", { tool_name: "Bash", tool_use_id: "t1" });
    later(61_000);
    await runDurableObjectAlarm(boardOf(eco));
    expect(stream.waiting).toEqual([]);
    expect(await (await change({ waiting_seconds: 60, frozen_seconds: 2_000 })).json()).toEqual({
      ...deployment,
      waiting_seconds: 60,
      frozen_seconds: 2_000,
      feeds: [],
      deployment,
    });
    expect(await stream.next()).toMatchObject({ signal: "Q_SESSION_WAITING", facts: { session: "s" } });
    await evictDurableObject(boardOf(eco));
    await hook(eco, "PostToolUse", { tool_name: "Bash", tool_use_id: "t1" });
    later(120_000);
    await runDurableObjectAlarm(boardOf(eco));
    expect((await sessions(eco)).sessions[0]).toMatchObject({ verdict: "working" });
    await change({ frozen_seconds: null });
    expect(await stream.next()).toMatchObject({ signal: "Q_SESSION_FROZEN", facts: { session: "s" } });
    expect(await problemOf(await change({ waiting_seconds: 0 }))).toMatchObject({
      status: 422,
      errors: [{ pointer: "/waiting_seconds" }],
    });
    expect(await problemOf(await change({ waiting: 60 }))).toMatchObject({ status: 422 });
    const { token } = await makeToken(eco, ["signals:read", "signals:write"]);
    expect((await change({ waiting_seconds: 60 }, token)).status).toBe(403);
  });

  it("is told of once when it is frozen, and no second time by a state that is derived anew", async () => {
    const eco = freshEcosystem();
    const stream = await follow(eco, ["Q_SESSION_FROZEN", "Q_SESSION_RESUMED"]);
    await hook(eco, "UserPromptSubmit", { prompt: "go" });
    await hook(eco, "PreToolUse", { tool_name: "Bash", tool_use_id: "t1" });
    later(25 * 60_000);
    await runDurableObjectAlarm(boardOf(eco));
    expect((await sessions(eco)).sessions[0]).toMatchObject({
      verdict: "working",
      in_words: "in a tool call (Bash) for 25 min",
    });
    await hook(eco, "PostToolUse", { tool_name: "Bash", tool_use_id: "t1" });
    later(115_000);
    await runDurableObjectAlarm(boardOf(eco));
    expect(await stream.next()).toMatchObject({ signal: "Q_SESSION_FROZEN", facts: { session: "s" } });
    await settle(eco);
    const before = await sessions(eco);
    await boardOf(eco).rebuild();
    await runDurableObjectAlarm(boardOf(eco));
    expect(await sessions(eco)).toEqual(before);
    expect(before.sessions[0]).toMatchObject({ verdict: "frozen", notified: true });
    await hook(eco, "Stop");
    expect(await stream.next()).toMatchObject({
      signal: "Q_SESSION_RESUMED",
      facts: { was: "frozen", verdict: "idle" },
    });
    expect(stream.waiting).toEqual([]);
  });

  it("reports once a minute what it has used, as an observation of its own", async () => {
    const eco = freshEcosystem();
    const stream = await follow(eco, ["OBSERVATION"]);
    await send(eco, "logs", logs);
    await settle(eco);
    later(61_000);
    await runDurableObjectAlarm(boardOf(eco));
    expect((await stream.next()).facts).toMatchObject({
      zooid: `claude-code:${SESSION}`,
      output_tokens: 500,
      cost_usd: 0.02,
    });
    await boardOf(eco).rebuild();
    later(61_000);
    await runDurableObjectAlarm(boardOf(eco));
    expect(stream.waiting).toEqual([]);
  });
});

describe("limits that are fed by sessions", () => {
  const error = (status: string, minutesAgo: number) => ({
    resourceLogs: [
      {
        resource: { attributes: [{ key: "service.name", value: { stringValue: "claude-code" } }] },
        scopeLogs: [
          {
            scope: { name: "com.anthropic.claude_code.events" },
            logRecords: [
              {
                timeUnixNano: `${Date.now() - minutesAgo * 60_000}000000`,
                body: { stringValue: "claude_code.api_error" },
                attributes: Object.entries({
                  "session.id": SESSION,
                  "event.name": "api_error",
                  "event.sequence": String(100 + minutesAgo),
                  model: "claude-sonnet-4-5",
                  status_code: status,
                  error: "usage limit reached",
                }).map(([key, stringValue]) => ({ key, value: { stringValue } })),
              },
            ],
          },
        ],
      },
    ],
  });
  const put = (path: string, body: object) => post(path, body, { method: "PUT" });
  const limitOf = async (eco: string) => (await (await call(`/v1/${eco}/limits/anthropic`)).json()) as Limit;

  it("are charged once for each request, whatever is exported again, rebuilt and reported by counters, too", async () => {
    const eco = freshEcosystem();
    await put(`/v1/${eco}/limits/anthropic`, { usd_per_day: 5 });
    await put(`/v1/${eco}/limits/other`, {});
    await put(`/v1/${eco}/budgets/chains`, { scope: "chain", usd: 1, per: "life" });
    const feeds = [
      { models: "gpt-*", limit: "other" },
      { models: "claude-*", limit: "anthropic" },
    ];
    const settings = await post(`/v1/${eco}/agent-sessions/settings`, { feeds }, { method: "PATCH" });
    expect(await settings.json()).toMatchObject({ feeds });
    for (let again = 0; again < 2; again++) {
      await send(eco, "logs", logs);
      await send(eco, "metrics", metrics);
      await settle(eco);
    }
    await boardOf(eco).rebuild();
    await evictDurableObject(boardOf(eco));
    await settle(eco);
    await runDurableObjectAlarm(boardOf(eco));
    expect(await limitOf(eco)).toMatchObject({
      spent_usd: 0.02,
      used: { requests: 2, input_tokens: 1_520, output_tokens: 500 },
      state: "open",
      held: 0,
    });
    const budget = (await (await call(`/v1/${eco}/budgets/chains`)).json()) as SpendingBudget;
    expect(budget.used).toMatchObject([{ subject: "4bf92f3577b34da6a3ce929d0e0e4736", usd: 0.02, tokens: 2_020 }]);
  });

  it("are closed by a refusal of the provider that is reported soon, and not by an old one", async () => {
    const eco = freshEcosystem();
    await put(`/v1/${eco}/limits/anthropic`, {});
    const feeds = [{ models: "*", limit: "anthropic" }];
    await post(`/v1/${eco}/agent-sessions/settings`, { feeds }, { method: "PATCH" });
    await send(eco, "logs", error("500", 1));
    await send(eco, "logs", error("429", 30));
    await settle(eco);
    await runDurableObjectAlarm(boardOf(eco));
    expect(await limitOf(eco)).toMatchObject({ state: "open" });
    await send(eco, "logs", error("429", 0));
    await settle(eco);
    await runDurableObjectAlarm(boardOf(eco));
    expect(await limitOf(eco)).toMatchObject({ state: "closed", reason: "usage limit reached" });
  });

  it("are closed by the hook of a turn that met a limit, until the reset that its message names, and charged nothing", async () => {
    const eco = freshEcosystem();
    await put(`/v1/${eco}/limits/anthropic`, {});
    const feeds = [{ models: "claude-*", limit: "anthropic" }];
    await post(`/v1/${eco}/agent-sessions/settings`, { feeds }, { method: "PATCH" });
    await hook(eco, "SessionStart", { model: "claude-sonnet-4-5" });
    await hook(eco, "StopFailure", { error: "authentication_failed", error_details: "401 Unauthorized" });
    await hook(eco, "StopFailure", { error: "server_error", error_details: "500 Internal server error" });
    await settle(eco);
    await runDurableObjectAlarm(boardOf(eco));
    expect(await limitOf(eco)).toMatchObject({ state: "open" });
    const reset = new Date(Math.ceil(Date.now() / 60_000) * 60_000 + 7_200_000);
    const [hour, minute] = [reset.getUTCHours(), String(reset.getUTCMinutes()).padStart(2, "0")];
    await hook(eco, "StopFailure", {
      error: "rate_limit",
      error_details: "429 Too Many Requests",
      last_assistant_message: `You've hit your limit - resets ${hour}:${minute} (UTC)`,
    });
    await settle(eco);
    await runDurableObjectAlarm(boardOf(eco));
    const closed = await limitOf(eco);
    expect(closed).toMatchObject({
      state: "closed",
      reason: `You've hit your limit - resets ${hour}:${minute} (UTC); 429 Too Many Requests`,
      used: { requests: 0, input_tokens: 0 },
    });
    // The limit closes for a length of time from when it was told, and so a moment later than the message says.
    expect(Date.parse(closed.closed_until ?? "") - reset.getTime()).toBeGreaterThanOrEqual(0);
    expect(Date.parse(closed.closed_until ?? "") - reset.getTime()).toBeLessThan(5_000);
    // The event of the same refusal names no reset, and shortens nothing.
    await send(eco, "logs", error("429", 0));
    await settle(eco);
    await runDurableObjectAlarm(boardOf(eco));
    expect(await limitOf(eco)).toMatchObject({ state: "closed", closed_until: closed.closed_until });
    expect((await sessions(eco)).sessions[0]).toMatchObject({ verdict: "idle" });
  });

  it("are charged what a hook says at the end of a turn, once, and not again by events of the same program", async () => {
    const eco = freshEcosystem();
    await put(`/v1/${eco}/limits/anthropic`, { usd_per_day: 5 });
    await post(
      `/v1/${eco}/agent-sessions/settings`,
      { feeds: [{ models: "*", limit: "anthropic" }] },
      { method: "PATCH" },
    );
    const usage = {
      input_tokens: 100,
      cache_creation_input_tokens: 20,
      cache_read_input_tokens: 5_000,
      output_tokens: 30,
    };
    await hook(eco, "Stop", { session_id: SESSION, usage, total_cost_usd: 0.03, model: "claude-sonnet-4-5" });
    await hook(eco, "Stop", { session_id: SESSION, usage: { input_tokens: "many" } });
    await send(eco, "logs", logs);
    await settle(eco);
    await boardOf(eco).rebuild();
    await settle(eco);
    await runDurableObjectAlarm(boardOf(eco));
    expect(await limitOf(eco)).toMatchObject({
      spent_usd: 0.03,
      used: { requests: 1, input_tokens: 120, output_tokens: 30 },
    });
  });
});
