import { afterEach, describe, expect, it, vi } from "vitest";
import { SCOPES, type Scope } from "../../../src/core/access/scopes.ts";
import type { Lineage } from "../../../src/core/lineage/api.ts";
import { GROUPS } from "../../../src/workers/api/mcp/groups.ts";
import { askAgent } from "../../../src/workers/api/mcp/tools/ask-agent.ts";
import { openApiDocument } from "../../../src/workers/app.ts";
import { makeToken } from "../access/tokens-under-test.ts";
import { call, freshEcosystem } from "../api/calls.ts";
import { patience } from "../patience.ts";
import { answerOf, connect, ERAS, use } from "./client-under-test.ts";

const all = GROUPS.flatMap(({ tools }) => tools);
/** Those that are listed without being asked for. */
const listed = GROUPS.filter(({ byDefault }) => byDefault).flatMap(({ tools }) => tools);
const namesOf = async (client: Awaited<ReturnType<typeof connect>>) =>
  (await client.listTools()).tools.map(({ name }) => name);

interface Leased {
  tasks: { task_id: string; lease_id: string; lease_expires_at: string; payload: unknown }[];
}

describe("the tools of the MCP server", () => {
  it("are 16 at most by default, with names that every client takes, and each states what it does", () => {
    expect(listed.length).toBeLessThanOrEqual(16);
    expect(new Set(all.map(({ name }) => name)).size).toBe(all.length);
    for (const tool of all) {
      const { name, annotations, inputSchema, outputSchema, description } = tool.entry();
      expect(name).toMatch(/^[a-z_]{3,40}$/);
      expect(Object.keys(annotations).sort()).toEqual([
        "destructiveHint",
        "idempotentHint",
        "openWorldHint",
        "readOnlyHint",
      ]);
      expect(inputSchema).toMatchObject({ type: "object", additionalProperties: false });
      expect(outputSchema.type).toBe("object");
      expect(description.length).toBeGreaterThan(20);
      expect(tool.entry()).toBe(tool.entry());
    }
  });

  it("need the scopes of the calls that they make, and say that they only read where those do", () => {
    const operations = Object.values(openApiDocument().paths ?? {}).flatMap((item) =>
      Object.entries(item as Record<string, { operationId: string; "x-scopes": Scope[] }>),
    );
    for (const { name, operations: made, scopes, entry } of all) {
      const found = operations.filter(([, { operationId }]) => made.includes(operationId));
      expect(found.length, name).toBe(made.length);
      expect([...new Set(found.flatMap(([, operation]) => operation["x-scopes"]))], name).toEqual(scopes);
      const reads = found.every(([method]) => method === "get") || name === "simulate_rule";
      expect(entry().annotations.readOnlyHint, name).toBe(reads);
    }
  });

  it.each(ERAS)("are listed and called by a client of the revision %s, which is told how to work", async (era) => {
    const client = await connect(freshEcosystem(), { era });
    expect(client.getNegotiatedProtocolVersion()).toBe(era);
    expect(client.getInstructions()).toMatch(/Look first.*One task at a time.*Extend while you work.*evidence/s);
    expect(await namesOf(client)).toEqual(listed.map(({ name }) => name));
    expect(await answerOf(client, "what_needs_attention")).toMatchObject({ items: [], total: 0 });
    await client.close();
  });

  it.each(SCOPES)("of a token with %s alone are those that it may use", async (scope) => {
    const ecosystem = freshEcosystem();
    const { token } = await makeToken(ecosystem, [scope]);
    const client = await connect(ecosystem, { token });
    const may = listed.filter(({ scopes }) => scope === "admin" || scopes.every((needed) => needed === scope));
    expect(await namesOf(client)).toEqual(may.map(({ name }) => name));
  });

  it("refuse a token without the scope in words that name the scope", async () => {
    const ecosystem = freshEcosystem();
    const { token } = await makeToken(ecosystem, ["signals:read"]);
    const refused = await use(await connect(ecosystem, { token }), "take_task", { queue: "q", recipient: "me" });
    expect(refused).toMatchObject({ isError: true, json: { type: "/problems/no-scope", scope: "tasks:work" } });
  });

  it("keep a token to its bindings, as the API does", async () => {
    const ecosystem = freshEcosystem();
    const { token } = await makeToken(ecosystem, ["signals:write", "tasks:work"], {
      sources: ["me"],
      recipients: ["me"],
    });
    const client = await connect(ecosystem, { token });
    const signal = { signal: "X", facts: {} };
    expect(await use(client, "emit_signal", { ...signal, source: "you" })).toMatchObject({ isError: true });
    expect(await use(client, "emit_signal", { ...signal, source: "me" })).toMatchObject({ isError: false });
    expect(await use(client, "take_task", { queue: "q", recipient: "you" })).toMatchObject({
      isError: true,
      json: { type: "/problems/not-bound" },
    });
  });

  it("refuse arguments that they do not know, and point at each", async () => {
    const client = await connect(freshEcosystem());
    const { isError, json } = await use(client, "enqueue_task", { queue: "no good", recipent: "me", payload: 1 });
    expect(isError).toBe(true);
    expect(json).toMatchObject({ type: "/problems/invalid-arguments", status: 422 });
    const pointers = (json.errors as { pointer: string }[]).map(({ pointer }) => pointer);
    expect(pointers).toEqual(expect.arrayContaining(["/queue", "/recipient", "/type", "/recipent"]));
  });

  it("pass on what the API refuses", async () => {
    const client = await connect(freshEcosystem());
    expect(await use(client, "read_signals", { filter: "facts.cpu >" })).toMatchObject({
      isError: true,
      json: { status: 422, errors: [{ pointer: "/query/filter" }] },
    });
    expect(await use(client, "show_task", { queue: "q", task_id: "t" })).toMatchObject({
      isError: true,
      json: { status: 404 },
    });
  });

  it("of other groups are listed where the URL names the groups", async () => {
    const ecosystem = freshEcosystem();
    const client = await connect(ecosystem, { query: "?tools=work" });
    const work = GROUPS.find(({ name }) => name === "work")?.tools.map(({ name }) => name);
    expect(await namesOf(client)).toEqual(work);
    await expect(client.callTool({ name: "explain", arguments: {} })).rejects.toThrow("?tools=default,signals");
    await expect(client.callTool({ name: "nothing", arguments: {} })).rejects.toThrow("tools/list");
    const answer = await call(`/v1/${ecosystem}/mcp?tools=nothing`, { method: "POST", body: "{}" });
    expect(answer.status).toBe(422);
    expect(await answer.text()).toContain("state, signals, work, operation");
  });
});

describe("work over MCP", () => {
  it("goes from the task to its end, with progress and evidence, and its sender sees the result", async () => {
    const client = await connect(freshEcosystem());
    const task = { queue: "q", recipient: "me", type: "BUILD", payload: { module: "window" }, task_id: "t-1" };
    await answerOf(client, "enqueue_task", task);
    expect(await answerOf(client, "enqueue_task", task)).toMatchObject({ tasks: [{ task_id: "t-1", known: true }] });
    const { tasks } = await answerOf<Leased>(client, "take_task", { queue: "q", recipient: "me", lease_ms: 1_000 });
    expect(tasks).toMatchObject([{ task_id: "t-1", payload: task.payload }]);
    const lease = { queue: "q", task_id: "t-1", lease_id: tasks[0]?.lease_id };
    const extended = await answerOf<{ lease_expires_at: string; progress_signal: string }>(client, "extend_lease", {
      ...lease,
      progress: "half of the tests pass",
    });
    expect(Date.parse(extended.lease_expires_at)).toBeGreaterThan(Date.parse(tasks[0]?.lease_expires_at ?? ""));
    expect(await answerOf(client, "read_signals", { signal: "Q_TASK_PROGRESS" })).toMatchObject({
      signals: [{ id: extended.progress_signal, facts: { task_id: "t-1", progress: "half of the tests pass" } }],
    });
    const end = { ...lease, result: { built: true }, evidence: ["commit 4f2a"] };
    await answerOf(client, "finish_task", end);
    // The answer was lost, and the end is sent again.
    expect(await answerOf(client, "finish_task", end)).toMatchObject({ status: "complete" });
    expect(await answerOf(client, "show_task", { queue: "q", task_id: "t-1" })).toMatchObject({
      status: "complete",
      result: { built: true, evidence: ["commit 4f2a"] },
    });
    expect(await use(client, "extend_lease", lease)).toMatchObject({ isError: true, json: { status: 409 } });
  });

  it("shows in the chain of a task who is to judge it, and then the judgement with the evidence", async () => {
    const ecosystem = freshEcosystem();
    const client = await connect(ecosystem);
    await answerOf(client, "emit_signal", { signal: "BUG", source: "me", facts: {}, id: "bug-1" });
    const task = { queue: "q", recipient: "me", type: "FIX", payload: null, task_id: "t-1", cause: "bug-1" };
    const rule = "evidence.exists(one, one.startsWith('commit '))";
    await answerOf(client, "enqueue_task", { ...task, accept: { rule } });
    await answerOf(client, "enqueue_task", { ...task, task_id: "t-2", accept: { reviewer: "ops" } });
    const finish = async (evidence: string[]) => {
      const { tasks } = await answerOf<Leased>(client, "take_task", { queue: "q", recipient: "me", wait_ms: 20_000 });
      const { task_id, lease_id } = tasks[0] ?? {};
      return answerOf(client, "finish_task", { queue: "q", task_id, lease_id, result: { fixed: true }, evidence });
    };
    expect(await finish(["commit 4f2a"])).toEqual({ task_id: "t-1", status: "complete" });
    expect(await finish(["https://example.org/review"])).toEqual({ task_id: "t-2", status: "verifying" });
    expect(await answerOf(client, "show_task", { queue: "q", task_id: "t-2" })).toMatchObject({
      verifying: { worker: "me", why: "waits for ops to accept or refuse it" },
    });
    const chain = () => answerOf<Lineage>(client, "explain", { id: "bug-1" });
    const verified = async () => (await chain()).effects.filter(({ signal }) => signal === "Q_TASK_VERIFIED");
    await vi.waitFor(
      async () =>
        expect(await verified()).toMatchObject([
          { cause: "bug-1", facts: { task_id: "t-1", accepted: true, by: "rule", evidence: ["commit 4f2a"] } },
        ]),
      patience,
    );
    const { questions } = (await (await call(`/v1/${ecosystem}/questions?state=open`)).json()) as {
      questions: { id: string }[];
    };
    await call(
      `/v1/${ecosystem}/questions/${questions[0]?.id}/answer`,
      json("POST", { answer: "refuse", comment: "no test" }),
    );
    await vi.waitFor(
      async () =>
        expect(await verified()).toMatchObject([
          { facts: { task_id: "t-1" } },
          { facts: { task_id: "t-2", accepted: false, by: "reviewer", evidence: ["https://example.org/review"] } },
        ]),
      patience,
    );
    // The chain leads to the task, which says why nobody may take it as done.
    expect((await chain()).tasks).toContainEqual(
      expect.objectContaining({ task_id: "t-2", status: "queued", accept: { reviewer: "ops" } }),
    );
    expect(await finish(["commit 5a3b, with a test"])).toMatchObject({ status: "verifying" });
    expect((await chain()).tasks).toContainEqual(
      expect.objectContaining({
        task_id: "t-2",
        status: "verifying",
        verifying: expect.objectContaining({ worker: "me", why: "waits for ops to accept or refuse it" }),
      }),
    );
  });

  it("says why there is no progress in the log where the token may not send signals, and extends the lease", async () => {
    const ecosystem = freshEcosystem();
    await answerOf(await connect(ecosystem), "enqueue_task", { queue: "q", recipient: "*", type: "X", payload: null });
    const { token } = await makeToken(ecosystem, ["tasks:work"]);
    const client = await connect(ecosystem, { token });
    const { tasks } = await answerOf<Leased>(client, "take_task", { queue: "q", recipient: "me" });
    const { task_id, lease_id } = tasks[0] ?? {};
    const extended = await answerOf(client, "extend_lease", { queue: "q", task_id, lease_id, progress: "on it" });
    expect(extended).toMatchObject({ status: "running", progress_refused: "This call needs the scope signals:write." });
  });

  it("fails a task with its reason, and releases one that was not begun", async () => {
    const client = await connect(freshEcosystem());
    await answerOf(client, "enqueue_task", { queue: "q", recipient: "me", type: "X", payload: null, task_id: "t-1" });
    const take = async () => {
      const { tasks } = await answerOf<Leased>(client, "take_task", { queue: "q", recipient: "me" });
      return { queue: "q", task_id: "t-1", lease_id: tasks[0]?.lease_id };
    };
    await answerOf(client, "finish_task", { ...(await take()), action: "release" });
    const lease = await take();
    expect(await use(client, "finish_task", { ...lease, action: "fail" })).toMatchObject({
      isError: true,
      json: { errors: [{ pointer: "/error" }] },
    });
    await answerOf(client, "finish_task", { ...lease, action: "fail", error: "no compiler", retry: false });
    expect(await answerOf(client, "show_task", { queue: "q", task_id: "t-1" })).toMatchObject({
      status: "failed",
      error: "no compiler",
    });
  });

  it("gets the reply of an agent that answers over MCP, too", async () => {
    const ecosystem = freshEcosystem();
    const [asker, responder] = await Promise.all([connect(ecosystem), connect(ecosystem)]);
    const asked = answerOf(asker, "ask_agent", { queue: "q", recipient: "oracle", type: "ASK", payload: "why?" });
    const { tasks } = await answerOf<Leased>(responder, "take_task", {
      queue: "q",
      recipient: "oracle",
      wait_ms: 20_000,
    });
    const { task_id, lease_id } = tasks[0] ?? {};
    await answerOf(responder, "finish_task", { queue: "q", task_id, lease_id, result: "because" });
    expect(await asked).toMatchObject({ status: "complete", result: "because", responder: "oracle" });
  });

  it("keeps one signal of a request that is sent again with the same id, or the same key", async () => {
    const ecosystem = freshEcosystem();
    const client = await connect(ecosystem, { headers: { "Idempotency-Key": "key-1" } });
    const signal = { signal: "X", source: "me", facts: { n: 1 } };
    await answerOf(client, "emit_signal", signal);
    await answerOf(client, "emit_signal", signal);
    const plain = await connect(ecosystem);
    await answerOf(plain, "emit_signal", { ...signal, id: "x-1" });
    expect(await answerOf(plain, "emit_signal", { ...signal, id: "x-1" })).toMatchObject({ duplicates: 1 });
    const { signals } = await answerOf<{ signals: unknown[] }>(plain, "read_signals", { signal: "X" });
    expect(signals).toHaveLength(2);
  });
});

describe("a question that takes long", () => {
  afterEach(() => void vi.useRealTimers());

  it("is answered as pending before the client gives it up, under an id by which the client asks on", async () => {
    vi.useFakeTimers();
    const bodies: unknown[] = [];
    const args = { queue: "q", recipient: "oracle", type: "ASK", payload: 1 };
    const asked = askAgent.call(args, ({ body }) => {
      bodies.push(body);
      return new Promise(() => undefined);
    });
    await vi.advanceTimersByTimeAsync(25_000);
    const content = { correlation_id: expect.stringMatching(/^mcp-/), status: "pending" };
    expect(await asked).toMatchObject({ structuredContent: content });
    expect(bodies).toMatchObject([{ correlation_id: expect.stringMatching(/^mcp-/), timeout_ms: 120_000 }]);
  });
});

describe("the tools for limits", () => {
  it("set, reserve, settle and close by the calls of the API, and show budgets", async () => {
    const eco = freshEcosystem();
    const client = await connect(eco, { query: "?tools=limits" });
    expect(await namesOf(client)).toContain("reserve_limit");
    expect(await answerOf(client, "set_limit", { name: "api", usd_per_day: 5 })).toMatchObject({ state: "open" });
    expect(await answerOf(client, "set_budget", { name: "b", scope: "agent", usd: 1 })).toMatchObject({ per: "day" });
    const held = await answerOf(client, "reserve_limit", { name: "api", amounts: { usd: 0.5 }, agent: "ada" });
    expect(held).toMatchObject({ granted: true });
    const { reservation } = held as { reservation: string };
    expect(await answerOf(client, "settle_limit", { name: "api", reservation, amounts: { usd: 0.4 } })).toMatchObject({
      state: "settled",
    });
    expect(await answerOf(client, "list_budgets")).toMatchObject({
      budgets: [{ name: "b", used: [{ subject: "ada", usd: 0.4 }] }],
    });
    expect(await answerOf(client, "close_limit", { name: "api", retry_after_seconds: 60 })).toMatchObject({
      state: "closed",
    });
    expect(await answerOf(client, "list_limits")).toMatchObject({
      limits: [{ name: "api", spent_usd: 0.4, parked: 0 }],
    });
    await client.close();
  });

  it("set limits and budgets only for tokens that may set rules, keep what was used, and point at what is wrong", async () => {
    const eco = freshEcosystem();
    const client = await connect(eco, { query: "?tools=limits" });
    await answerOf(client, "set_limit", { name: "api", usd_per_day: 5, concurrency: 2 });
    await answerOf(client, "reserve_limit", { name: "api", amounts: { usd: 0.5 } });
    expect(await answerOf(client, "set_limit", { name: "api", usd_per_day: 7 })).toMatchObject({
      usd_per_day: 7,
      held: 1,
      held_usd: 0.5,
    });
    expect(await use(client, "set_budget", { name: "b", scope: "agent" })).toMatchObject({
      isError: true,
      json: { status: 422, errors: [{ pointer: "/tokens" }] },
    });
    const { token } = await makeToken(eco, ["tasks:read", "tasks:work"]);
    const worker = await connect(eco, { query: "?tools=limits", token });
    expect(await namesOf(worker)).toEqual([
      "list_limits",
      "reserve_limit",
      "settle_limit",
      "close_limit",
      "list_budgets",
    ]);
    expect(await use(worker, "set_limit", { name: "api", usd_per_day: 99 })).toMatchObject({
      isError: true,
      json: { type: "/problems/no-scope", scope: "policy:write" },
    });
  });
});

const json = (method: string, body: object) => ({
  method,
  body: JSON.stringify(body),
  headers: { "Content-Type": "application/json" },
});
