import { join } from "node:path";
import { Client } from "@modelcontextprotocol/client";
import { StdioClientTransport } from "@modelcontextprotocol/client/stdio";
import { expect, test } from "vitest";
import { atEnd } from "../../harness/cleanup.ts";
import { runEdge } from "../../harness/running-edge.ts";
import { answerOf } from "./session-client.ts";

const BIN = join(import.meta.dirname, "../../../cli/ganglion.mjs");

/** The official client, connected to `ganglion mcp`. */
async function connect(
  edge: { url: string; token: string },
  args: readonly string[],
  modern: boolean,
): Promise<Client> {
  const client = new Client(
    { name: "test", version: "1.0.0" },
    modern ? { versionNegotiation: { mode: { pin: "2026-07-28" } } } : {},
  );
  const env = { PATH: process.env.PATH ?? "", GANGLION_URL: edge.url, GANGLION_TOKEN: edge.token };
  await client.connect(new StdioClientTransport({ command: process.execPath, args: [BIN, "mcp", ...args], env }));
  atEnd(() => client.close());
  return client;
}

test("a session over standard input and output goes on when the edge was away, and hears what happens", async () => {
  let edge = await runEdge();
  const args = ["--push", "X", "--announce", "work/me"];
  const [session, modern] = await Promise.all([connect(edge, args, false), connect(edge, ["--tools", "work"], true)]);
  expect(session.getServerCapabilities()).toMatchObject({ experimental: { "claude/channel": {} } });
  expect(modern.getServerCapabilities()?.experimental).toBeUndefined();
  expect((await modern.listTools()).tools.map(({ name }) => name)).toContain("take_task");
  expect((await modern.listTools()).tools.map(({ name }) => name)).not.toContain("explain");
  const pushed: { content: string; meta: Record<string, string> }[] = [];
  session.fallbackNotificationHandler = ({ method, params }) => {
    if (method === "notifications/claude/channel") pushed.push(params as unknown as (typeof pushed)[number]);
    return Promise.resolve();
  };

  // From its first push on, the channel misses nothing.
  let heard = 0;
  await expect
    .poll(
      async () => {
        await answerOf(session, "emit_signal", { signal: "X", source: "me", facts: {}, id: `heard-${heard++}` });
        return pushed.length;
      },
      { timeout: 60_000, interval: 500 },
    )
    .toBeGreaterThan(0);

  // The edge is killed while the call waits. A busy machine may take longer to start it than the bridge has patience, and a
  // model that reads so calls again.
  const take = async (): Promise<{ tasks: { task_id: string }[] }> => {
    try {
      return await answerOf(modern, "take_task", { queue: "work", recipient: "me", wait_ms: 20_000 });
    } catch (error) {
      if (!String(error).includes("no edge answers")) throw error;
      return take();
    }
  };
  const taken = take();
  await edge.process.killGroup();
  edge = await runEdge({ stateDir: edge.stateDir, port: Number(new URL(edge.url).port) });
  const task = { queue: "work", recipient: "me", type: "X", payload: 1, task_id: "t-1" };
  await answerOf(session, "enqueue_task", task);
  expect(await taken).toMatchObject({ tasks: [{ task_id: "t-1" }] });

  await answerOf(session, "emit_signal", { signal: "X", source: "me", facts: { n: 1 }, id: "x-1" });
  await expect
    .poll(() => pushed.map(({ meta }) => meta.id ?? meta.task_id), { timeout: 60_000 })
    .toEqual(expect.arrayContaining(["t-1", "x-1"]));
  expect(JSON.parse(pushed.find(({ meta }) => meta.id === "x-1")?.content ?? "")).toMatchObject({
    signal: "X",
    facts: { n: 1 },
  });
});
