import { expect, it } from "vitest";
import { makeToken } from "../access/tokens-under-test.ts";
import { ADMIN, call, freshEcosystem } from "../api/calls.ts";
import { answerOf, connect } from "./client-under-test.ts";

const TASKS = "io.modelcontextprotocol/tasks";
const REVISION = "2026-07-28";

interface Answer {
  readonly status: number;
  readonly result: Record<string, unknown>;
  readonly error: { readonly code: number; readonly data: unknown };
}

/** A request of a client that looks after tasks, or of one that does not. */
async function ask(
  ecosystem: string,
  method: string,
  params: object,
  { tasks = true, token = ADMIN } = {},
): Promise<Answer> {
  const name = "name" in params ? params.name : "taskId" in params ? params.taskId : undefined;
  const meta = {
    "io.modelcontextprotocol/protocolVersion": REVISION,
    "io.modelcontextprotocol/clientCapabilities": tasks ? { extensions: { [TASKS]: {} } } : {},
  };
  const answer = await call(`/v1/${ecosystem}/mcp`, {
    method: "POST",
    token,
    headers: {
      "Content-Type": "application/json",
      Accept: "application/json, text/event-stream",
      "MCP-Protocol-Version": REVISION,
      "Mcp-Method": method,
      ...(name === undefined ? {} : { "Mcp-Name": String(name) }),
    },
    body: JSON.stringify({ jsonrpc: "2.0", id: 1, method, params: { ...params, _meta: meta } }),
  });
  return { status: answer.status, ...(await answer.json<Omit<Answer, "status">>()) };
}

const question = (correlation_id: string) => ({
  name: "ask_agent",
  arguments: { queue: "q", recipient: "oracle", type: "ASK", payload: 1, correlation_id },
});

it("a question that takes long becomes a task, which its client reads until the reply is there, and cancels", async () => {
  const ecosystem = freshEcosystem();
  const responder = await connect(ecosystem);
  expect((await ask(ecosystem, "server/discover", {})).result).toMatchObject({
    capabilities: { extensions: { [TASKS]: {} } },
  });
  // The queue begins with its first task.
  await answerOf(responder, "enqueue_task", { queue: "q", recipient: "nobody", type: "X", payload: 1 });
  const asked = await Promise.all([
    ask(ecosystem, "tools/call", question("c-1")),
    ask(ecosystem, "tools/call", question("c-2")),
  ]);
  expect(asked.map(({ result }) => result)).toMatchObject([
    { resultType: "task", taskId: "q/c-1", status: "working", ttlMs: 86_400_000 },
    { resultType: "task", taskId: "q/c-2", status: "working" },
  ]);
  const taskId = "q/c-1";
  expect((await ask(ecosystem, "tasks/get", { taskId })).result).toMatchObject({
    resultType: "complete",
    status: "working",
  });
  expect((await ask(ecosystem, "tasks/cancel", { taskId: "q/c-2" })).result).toMatchObject({ resultType: "complete" });
  expect((await ask(ecosystem, "tasks/get", { taskId: "q/c-2" })).result).toMatchObject({ status: "cancelled" });

  const { tasks } = await answerOf<{ tasks: { task_id: string; lease_id: string }[] }>(responder, "take_task", {
    queue: "q",
    recipient: "oracle",
  });
  const { task_id, lease_id } = tasks[0] ?? {};
  await answerOf(responder, "finish_task", { queue: "q", task_id, lease_id, result: "because" });
  expect((await ask(ecosystem, "tasks/get", { taskId })).result).toMatchObject({
    status: "completed",
    result: {
      structuredContent: { correlation_id: "c-1", status: "complete", result: "because", responder: "oracle" },
    },
  });
  for (const unknown of ["q/none", "none"])
    expect((await ask(ecosystem, "tasks/get", { taskId: unknown })).error.code).toBe(-32_602);
});

it("a client that does not look after tasks is given none, and a token reads those alone that it may read", async () => {
  const ecosystem = freshEcosystem();
  await answerOf(await connect(ecosystem), "enqueue_task", {
    queue: "q",
    recipient: "me",
    type: "X",
    payload: 1,
    task_id: "t",
  });
  const get = { taskId: "q/t" };
  const refused = await ask(ecosystem, "tasks/get", get, { tasks: false });
  expect([refused.status, refused.error.code]).toEqual([400, -32_021]);
  const { token } = await makeToken(ecosystem, ["tasks:write"]);
  expect((await ask(ecosystem, "tasks/get", get, { token })).error.data).toMatchObject({ type: "/problems/no-scope" });
});
