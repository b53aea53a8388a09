import { join } from "node:path";
import { Client } from "@modelcontextprotocol/client";
import { StdioClientTransport } from "@modelcontextprotocol/client/stdio";
import { beforeAll, describe, expect, it } from "vitest";
import { createClient, type Client as EdgeClient } from "../../../src/client/client.ts";
import { ApiProblem } from "../../../src/client/http/problem-errors.ts";
import type { Scope } from "../../../src/core/access/scopes.ts";
import { atEnd } from "../../harness/cleanup.ts";
import { type RunningEdge, runEdge } from "../../harness/running-edge.ts";
import { start } from "../cli/ganglion-process.ts";

const BIN = join(import.meta.dirname, "../../../cli/ganglion.mjs");
const REQUEST = "notifications/claude/channel/permission_request";
const DECISION = "notifications/claude/channel/permission";
/** Longer than a decision takes to come through, whatever the machine does. */
const SOON = { timeout: 60_000, interval: 100 };

interface Session {
  readonly client: Client;
  /** Asks as Claude Code does. */
  readonly ask: (requestId: string, more?: object) => Promise<void>;
  /** What came back, in order. */
  readonly decisions: { request_id: string; behavior: string }[];
  readonly remarks: () => string;
}

/** The official client, connected to `ganglion mcp`. */
async function sessionOf(edge: { url: string; token: string }, ...args: string[]): Promise<Session> {
  const client = new Client({ name: "test", version: "1.0.0" });
  const env = { PATH: process.env.PATH ?? "", GANGLION_URL: edge.url, GANGLION_TOKEN: edge.token };
  const transport = new StdioClientTransport({
    command: process.execPath,
    args: [BIN, "mcp", ...args],
    env,
    stderr: "pipe",
  });
  let remarks = "";
  transport.stderr?.on("data", (chunk: Buffer) => {
    remarks += String(chunk);
  });
  const decisions: Session["decisions"] = [];
  client.fallbackNotificationHandler = ({ method, params }) => {
    if (method === DECISION) decisions.push(params as unknown as (typeof decisions)[number]);
    return Promise.resolve();
  };
  await client.connect(transport);
  atEnd(() => client.close());
  return {
    client,
    decisions,
    remarks: () => remarks,
    ask: (requestId, more = {}) =>
      client.notification({
        method: REQUEST,
        params: {
          request_id: requestId,
          tool_name: "Bash",
          description: "Publish the package",
          input_preview: "npm publish",
          ...more,
        },
      }),
  };
}

describe("permissions that a session asks for", () => {
  let edge: RunningEdge;
  let admin: EdgeClient;
  let session: Session;
  const tokenOf = async (name: string, scopes: Scope[]) =>
    (await admin.tokens.create({ name, scopes, ecosystems: ["default"] })).token;
  const as = async (name: string, scopes: Scope[]) =>
    createClient({ url: edge.url, token: await tokenOf(name, scopes) });
  /** The request at the edge, once it is there. */
  const requestOf = async (requestId: string, state?: "open" | "cancelled" | "expired") => {
    const find = async () => {
      const { questions } = await admin.questions.list({ kind: "permission", ...(state && { state }) });
      return questions.find(({ id }) => id.endsWith(`-${requestId}`));
    };
    await expect.poll(find, SOON).toBeDefined();
    return (await find()) ?? Promise.reject(new Error("no request"));
  };

  beforeAll(async () => {
    edge = await runEdge();
    admin = createClient({ url: edge.url, token: edge.token });
    const token = await tokenOf("claude", ["signals:read", "tasks:write", "tasks:read"]);
    session = await sessionOf({ url: edge.url, token }, "--relay-permissions", "ops");
  });

  it("are offered where it is wanted alone: without the option nothing is announced, and nothing leaves the host", async () => {
    expect(session.client.getServerCapabilities()?.experimental).toMatchObject({
      "claude/channel": {},
      "claude/channel/permission": {},
    });
    const quiet = await sessionOf({ url: edge.url, token: edge.token });
    expect(quiet.client.getServerCapabilities()?.experimental ?? {}).toEqual({});
    await quiet.ask("quiet");
    // A call behind it has been answered: the notification before it has been handled.
    await quiet.client.listTools();
    const { questions } = await admin.questions.list({ kind: "permission" });
    expect(questions.filter(({ id }) => id.endsWith("-quiet"))).toEqual([]);
  });

  it("are allowed by a command with the scope for it, once, and the session hears it once", async () => {
    await session.ask("allow", { input_preview: `NPM_TOKEN=${"abcd".repeat(4)} npm publish` });
    await session.ask("allow");
    const request = await requestOf("allow", "open");
    expect(request).toMatchObject({
      recipient: "ops",
      asked_by: "claude",
      permission: {
        tool_name: "Bash",
        description: "Publish the package",
        input_preview: "NPM_TOKEN=[hidden] npm publish",
      },
    });
    const env = { GANGLION_URL: edge.url, GANGLION_TOKEN: await tokenOf("ada", ["permissions:answer"]) };
    const allow = await start(["permissions", "allow", request.id, "--json"], { env }).finished;
    expect([allow.code, JSON.parse(allow.out)]).toMatchObject([
      0,
      { answer: "allow", answered_by: { name: "ada", way: "token" } },
    ]);
    await expect.poll(() => session.decisions, SOON).toEqual([{ request_id: "allow", behavior: "allow" }]);
    // A second decision is told of the first, and changes nothing.
    const deny = await start(["permissions", "deny", request.id], { env }).finished;
    expect([deny.code, deny.err]).toEqual([1, expect.stringContaining('ada answered "allow"')]);
    const find = async () => (await admin.signals({ signals: ["Q_PERMISSION_ANSWERED"], limit: 10 })).signals;
    await expect.poll(find, SOON).toHaveLength(1);
    expect((await find())[0]).toMatchObject({
      source: "ganglion/questions",
      facts: { permission_id: request.id, tool: "Bash", behavior: "allow", answered_by: "ada", way: "token" },
    });
    expect(session.decisions).toHaveLength(1);
  });

  it("are denied, and the session hears that", async () => {
    await session.ask("deny");
    const ada = await as("ada-2", ["permissions:answer"]);
    await ada.permissions.answer((await requestOf("deny", "open")).id, "deny");
    await expect.poll(() => session.decisions.at(-1), SOON).toEqual({ request_id: "deny", behavior: "deny" });
  });

  it("are not decided by a token without the scope, whatever else it may do, nor by the session's own", async () => {
    await session.ask("scope");
    const { id } = await requestOf("scope", "open");
    const everything = await as("everything", [
      "questions:answer",
      "tasks:write",
      "tasks:work",
      "tasks:read",
      "policy:write",
      "signals:write",
    ]);
    const refused = (error: unknown) => error instanceof ApiProblem && error.problem.status === 403;
    await expect(everything.permissions.answer(id, "allow")).rejects.toSatisfy(refused);
    await expect(everything.questions.answer(id, "allow")).rejects.toSatisfy(refused);
    await expect(admin.questions.answer(id, "allow")).rejects.toSatisfy(refused);
    expect((await admin.questions.show(id)).state).toBe("open");
    expect(session.decisions.filter(({ request_id }) => request_id === "scope")).toEqual([]);
    await (await as("ada-3", ["permissions:answer"])).permissions.answer(id, "deny");
  });

  it("expire, of which the session hears nothing: its own dialog stays", async () => {
    const token = await tokenOf("brief", ["tasks:write", "tasks:read"]);
    const brief = await sessionOf({ url: edge.url, token }, "--relay-permissions", "ops", "--permissions-expire", "2s");
    await brief.ask("late");
    const { id } = await requestOf("late");
    await expect.poll(async () => (await admin.questions.show(id)).state, SOON).toBe("expired");
    const ada = await as("ada-4", ["permissions:answer"]);
    await expect(ada.permissions.answer(id, "allow")).rejects.toMatchObject({ problem: { status: 409 } });
    // A call behind it is answered, and what the session hears comes in order.
    await brief.client.listTools();
    expect(brief.decisions).toEqual([]);
  });

  it("are taken back when the session ends", async () => {
    const token = await tokenOf("ending", ["tasks:write", "tasks:read"]);
    const ending = await sessionOf({ url: edge.url, token }, "--relay-permissions", "ops");
    await ending.ask("gone");
    await requestOf("gone", "open");
    await ending.client.close();
    expect((await requestOf("gone", "cancelled")).answer).toBeNull();
  });

  it("that are not valid, or of a token that may not ask, are said on standard error, and no decision comes", async () => {
    const token = await tokenOf("reader", ["signals:read"]);
    const reader = await sessionOf({ url: edge.url, token }, "--relay-permissions", "ops");
    await reader.ask("a b");
    await reader.ask("reader");
    await expect.poll(reader.remarks, SOON).toContain("a request of permission is not valid");
    await expect.poll(reader.remarks, SOON).toContain("the request to use Bash is not relayed");
    expect(reader.decisions).toEqual([]);
  });

  it("reach an edge that was away, and are allowed there; of one that stays away the session hears nothing", async () => {
    const own = await runEdge();
    const { stateDir, url, token } = own;
    const away = await sessionOf({ url, token }, "--relay-permissions", "ops");
    const brief = await sessionOf({ url, token }, "--relay-permissions", "ops", "--permissions-expire", "1s");
    await own.process.killGroup();
    await away.ask("away");
    await brief.ask("brief");
    await expect.poll(brief.remarks, SOON).toContain("the request to use Bash is not relayed");
    await runEdge({ stateDir, port: Number(new URL(url).port) });
    const there = createClient({ url, token });
    const find = async () => (await there.questions.list({ kind: "permission", state: "open" })).questions;
    await expect.poll(find, SOON).toHaveLength(1);
    const [request] = await find();
    // The session has the token of the administrator here, and another one decides.
    await expect(there.permissions.answer(request?.id ?? "", "allow")).rejects.toMatchObject({
      problem: { status: 403 },
    });
    const other = await there.tokens.create({ name: "ada", scopes: ["permissions:answer"], ecosystems: ["default"] });
    await createClient({ url, token: other.token }).permissions.answer(request?.id ?? "", "allow");
    await expect.poll(() => away.decisions, SOON).toEqual([{ request_id: "away", behavior: "allow" }]);
    expect(brief.decisions).toEqual([]);
  });
});
