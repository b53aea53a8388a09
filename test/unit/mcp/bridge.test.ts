import { afterEach, describe, expect, it, vi } from "vitest";
import { Bridge, type Sending } from "../../../cli/commands/mcp/bridge.ts";
import { Channel, type ChannelOptions } from "../../../cli/commands/mcp/channel.ts";
import { ApiProblem, EdgeUnreachable } from "../../../src/client/http/problem-errors.ts";
import type { McpMessage } from "../../../src/client/mcp.ts";
import { problem } from "../../../src/core/problem/problem.ts";

const REVISION = "io.modelcontextprotocol/protocolVersion";

/** A bridge to an edge that answers as it is told. */
function bridgeTo(send: (sending: Sending) => AsyncIterable<McpMessage>, experimental = {}) {
  const written: McpMessage[] = [];
  const ready = vi.fn();
  const results = vi.fn();
  const write = (message: McpMessage) => void written.push(message);
  const bridge = new Bridge({ send, write, experimental, onReady: ready, onToolResult: results });
  return { written, ready, results, take: (message: object) => bridge.take(JSON.stringify(message)), bridge };
}

const request = (method: string, params: object = {}, id: number | string = 1) => ({
  jsonrpc: "2.0",
  id,
  method,
  params,
});

async function* answering(...answers: McpMessage[]): AsyncGenerator<McpMessage> {
  yield* answers;
}

describe("the bridge of ganglion mcp", () => {
  it("repeats in headers what the protocol wants there, and gives each call of a tool a key", async () => {
    const headers: Record<string, string>[] = [];
    const { take } = bridgeTo((sending) => {
      headers.push({ ...sending.headers });
      return answering();
    });
    const meta = { [REVISION]: "2026-07-28" };
    await take(request("tools/call", { name: "explain", arguments: {}, _meta: meta }));
    await take(request("tools/call", { name: "explain", arguments: {}, _meta: meta }, 2));
    await take(request("resources/read", { uri: "ganglion://gaps", _meta: meta }));
    expect(headers[0]).toMatchObject({
      "MCP-Protocol-Version": "2026-07-28",
      "Mcp-Method": "tools/call",
      "Mcp-Name": "explain",
    });
    expect(headers[0]?.["Idempotency-Key"]).not.toBe(headers[1]?.["Idempotency-Key"]);
    expect(headers[2]).toEqual({
      "MCP-Protocol-Version": "2026-07-28",
      "Mcp-Method": "resources/read",
      "Mcp-Name": "ganglion://gaps",
    });
  });

  it("names the revision of the handshake with each later request, and adds the channel to what the server can do", async () => {
    const revisions: (string | undefined)[] = [];
    const { take, written, ready } = bridgeTo(
      ({ headers, message }) => {
        revisions.push(headers["MCP-Protocol-Version"]);
        const result = { protocolVersion: "2025-11-25", capabilities: { tools: {} } };
        return answering({ jsonrpc: "2.0", id: message.id, result });
      },
      { "claude/channel": {} },
    );
    await take(request("initialize", { protocolVersion: "2025-11-25" }));
    await take(request("tools/list", {}, 2));
    expect(revisions).toEqual([undefined, "2025-11-25"]);
    expect(written[0]).toMatchObject({
      result: { capabilities: { tools: {}, experimental: { "claude/channel": {} } } },
    });
    expect(ready).toHaveBeenCalledTimes(1);
  });

  it("tells a model that the edge is away by the result of its tool, and a client by an error", async () => {
    const { take, written } = bridgeTo(() => {
      throw new EdgeUnreachable("http://127.0.0.1:1", new Error("refused"));
    });
    await take(request("tools/call", { name: "explain" }));
    await take(request("tools/list", {}, 2));
    expect(written).toMatchObject([
      { id: 1, result: { isError: true, content: [{ text: expect.stringMatching(/^no edge answers at /) }] } },
      { id: 2, error: { code: -32_603, message: expect.stringMatching(/^no edge answers at /) } },
    ]);
  });

  it("gives a request up that its client has cancelled, and says nothing more of it", async () => {
    const { take, written } = bridgeTo(async function* ({ signal }) {
      await new Promise((_, reject) => {
        signal.addEventListener("abort", () => reject(signal.reason));
      });
      yield {};
    });
    const taken = take(request("tools/call", { name: "take_task" }, 7));
    await take({ jsonrpc: "2.0", method: "notifications/cancelled", params: { requestId: 7 } });
    await taken;
    expect(written).toEqual([]);
  });

  it("keeps what a session asks permission for, and sends it to no server of tools", async () => {
    const sent: unknown[] = [];
    const asked: unknown[] = [];
    const parts = {
      send: ({ message }: Sending) => {
        sent.push(message);
        return answering();
      },
      write: () => undefined,
      experimental: {},
      onReady: () => undefined,
      onToolResult: () => undefined,
    };
    const notification = {
      jsonrpc: "2.0",
      method: "notifications/claude/channel/permission_request",
      params: { request_id: "abcde", tool_name: "Bash" },
    };
    await new Bridge(parts).take(JSON.stringify(notification));
    const relaying = new Bridge({ ...parts, onPermissionRequest: (params) => void asked.push(params) });
    await relaying.take(JSON.stringify(notification));
    expect([sent, asked]).toEqual([[], [notification.params]]);
  });

  it("answers a line that is no JSON, and passes over what asks nothing", async () => {
    const { bridge, written } = bridgeTo(() => answering());
    await bridge.take("{");
    await bridge.take('{"jsonrpc":"2.0","id":1,"result":{}}');
    expect(written).toMatchObject([{ id: null, error: { code: -32_700 } }]);
  });
});

describe("the channel of ganglion mcp", () => {
  afterEach(() => void vi.useRealTimers());

  /** A channel to a session, and what it pushes there. */
  function channelOf(reply: () => Promise<unknown>) {
    const pushed: unknown[] = [];
    const ended = new AbortController();
    const client = { queues: { reply } } as unknown as ChannelOptions["client"];
    const write = ({ params }: McpMessage) => void pushed.push(params);
    const channel = new Channel({ client, signals: [], tasks: [], write, warn: () => undefined, signal: ended.signal });
    return { channel, pushed };
  }

  it("pushes the reply to a pending question when it comes, also after the edge was away", async () => {
    vi.useFakeTimers();
    const answers = [
      () => Promise.resolve({ correlation_id: "c", status: "running" }),
      () => Promise.reject(new EdgeUnreachable("http://127.0.0.1:1", new Error("refused"))),
      () => Promise.resolve({ correlation_id: "c", result: 42, responder: "oracle", duration_ms: 1 }),
    ];
    const { channel, pushed } = channelOf(() => answers.shift()?.() ?? Promise.reject(new Error("asked too often")));
    channel.awaitAnswer("q", "c");
    await vi.advanceTimersByTimeAsync(60_000);
    expect(pushed).toEqual([
      {
        content: expect.stringContaining('"result":42'),
        meta: { source: "ganglion", kind: "answer", queue: "q", correlation_id: "c" },
      },
    ]);
  });

  it("pushes why no reply will come", async () => {
    const late = problem("call-timed-out", 504, "No reply in time");
    const { channel, pushed } = channelOf(() => Promise.reject(new ApiProblem(late)));
    channel.awaitAnswer("q", "c");
    await expect.poll(() => pushed.length).toBe(1);
    expect(pushed).toMatchObject([{ content: "No answer: No reply in time" }]);
  });

  /** A channel to a session that waits for the end of questions to people. */
  function waitingChannel(wait: () => Promise<unknown>) {
    const pushed: McpMessage[] = [];
    const warned: string[] = [];
    const client = { questions: { wait } } as unknown as ChannelOptions["client"];
    const write = ({ params }: McpMessage) => void pushed.push(params as McpMessage);
    const warn = (text: string) => void warned.push(text);
    const channel = new Channel({ client, signals: [], tasks: [], write, warn, signal: new AbortController().signal });
    return { channel, pushed, warned };
  }

  it("pushes how a question to a person ended, once, though the edge was away and the session asked on under its id", async () => {
    vi.useFakeTimers();
    const ends = [
      () => Promise.reject(new EdgeUnreachable("http://127.0.0.1:1", new Error("refused"))),
      () => Promise.resolve({ id: "deploy-42", state: "open" }),
      () => Promise.resolve({ id: "deploy-42", state: "answered", answer: "yes" }),
    ];
    const { channel, pushed } = waitingChannel(() => ends.shift()?.() ?? Promise.reject(new Error("asked too often")));
    channel.awaitHuman("deploy-42");
    channel.awaitHuman("deploy-42");
    await vi.advanceTimersByTimeAsync(60_000);
    const meta = { source: "ganglion", kind: "answer", question: "deploy-42", state: "answered" };
    expect(pushed).toEqual([{ content: expect.stringContaining('"answer":"yes"'), meta }]);
  });

  it("pushes no end that the session has got as the result of a call", async () => {
    const { promise, resolve } = Promise.withResolvers<unknown>();
    const { channel, pushed } = waitingChannel(() => promise);
    channel.awaitHuman("deploy-42");
    channel.heardHuman("deploy-42");
    resolve({ id: "deploy-42", state: "answered", answer: "yes" });
    await new Promise((done) => setImmediate(done));
    expect(pushed).toEqual([]);
  });

  it("says once, on standard error, that an end cannot be got, such as of a question that is gone", async () => {
    const gone = new ApiProblem(problem("not-found", 404, "Not found"));
    const { channel, pushed, warned } = waitingChannel(() => Promise.reject(gone));
    channel.awaitHuman("deploy-42");
    await expect.poll(() => warned.length).toBe(1);
    expect([pushed, warned[0]]).toEqual([[], expect.stringContaining("the answer to deploy-42")]);
  });
});
