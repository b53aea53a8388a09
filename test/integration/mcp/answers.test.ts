import { join } from "node:path";
import { Client } from "@modelcontextprotocol/client";
import { StdioClientTransport } from "@modelcontextprotocol/client/stdio";
import { expect, test } from "vitest";
import { atEnd } from "../../harness/cleanup.ts";
import { runEdge } from "../../harness/running-edge.ts";
import { answerOf } from "./session-client.ts";

const BIN = join(import.meta.dirname, "../../../cli/ganglion.mjs");

interface Pushed {
  readonly content: string;
  readonly meta: Readonly<Record<string, string>>;
}

/** A session with `ganglion mcp`, and what is pushed into it. */
async function session(edge: { url: string; token: string }, args: readonly string[]) {
  const client = new Client({ name: "test", version: "1.0.0" }, {});
  const pushed: Pushed[] = [];
  client.fallbackNotificationHandler = ({ method, params }) => {
    if (method === "notifications/claude/channel") pushed.push(params as unknown as Pushed);
    return Promise.resolve();
  };
  const env = { PATH: process.env.PATH ?? "", GANGLION_URL: edge.url, GANGLION_TOKEN: edge.token };
  const command = [BIN, "mcp", "--tools", "default,coordination", ...args];
  await client.connect(new StdioClientTransport({ command: process.execPath, args: command, env }));
  atEnd(() => client.close());
  return { client, pushed };
}

test("a running session learns how questions ended that it left open, each once, though the edge was killed meanwhile", async () => {
  let edge = await runEdge();
  const [{ client: told, pushed }, { client: silent, pushed: nothing }] = await Promise.all([
    session(edge, ["--answers"]),
    session(edge, []),
  ]);
  expect(told.getServerCapabilities()).toMatchObject({ experimental: { "claude/channel": {} } });
  expect(silent.getServerCapabilities()?.experimental).toBeUndefined();
  const ask = (client: Client, id: string) => {
    const question = { id, question: `Go on with ${id}?`, recipient: "ops", options: ["yes", "no"], wait_ms: 0 };
    return answerOf<{ state: string; answer: string | null }>(client, "ask_human", question);
  };
  for (const id of ["answered", "taken-back", "heard"]) expect(await ask(told, id)).toMatchObject({ state: "open" });
  expect(await ask(silent, "silent")).toMatchObject({ state: "open" });
  // Asked on under its id: it is one question, with one end.
  expect(await ask(told, "answered")).toMatchObject({ state: "open" });

  await edge.process.killGroup();
  edge = await runEdge({ stateDir: edge.stateDir, port: Number(new URL(edge.url).port) });
  const people = edge.client();
  await people.questions.answer("silent", "yes");
  await people.questions.cancel("taken-back");
  await people.questions.answer("answered", "no", { comment: "not on a Friday" });
  await expect
    .poll(() => pushed.map(({ meta }) => [meta.question, meta.state]).sort(), { timeout: 60_000 })
    .toEqual([
      ["answered", "answered"],
      ["taken-back", "cancelled"],
    ]);
  const { content, meta } = pushed.find(({ meta: { question } }) => question === "answered") ?? {
    content: "{}",
    meta: {},
  };
  expect(meta).toMatchObject({ source: "ganglion", kind: "answer" });
  expect(JSON.parse(content)).toMatchObject({
    answer: "no",
    comment: "not on a Friday",
    answered_by: { way: "token" },
  });

  // The last question ends when all that could have been pushed before has been.
  await people.questions.answer("heard", "yes");
  await expect.poll(() => pushed.length, { timeout: 60_000 }).toBe(3);
  expect(pushed.at(-1)?.meta.question).toBe("heard");
  expect(nothing).toEqual([]);
});
