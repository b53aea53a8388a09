import { mkdirSync, statSync, writeFileSync } from "node:fs";
import { connect, createServer } from "node:net";
import { join } from "node:path";
import { beforeEach, describe, expect, it } from "vitest";
import { createLog } from "../../../local-agent/base/log.ts";
import { AgentUnreachable, askAgent, CommandFailed } from "../../../local-agent/commands/ask-agent.ts";
import { HostCommands } from "../../../local-agent/commands/host-commands.ts";
import { LocalSocket } from "../../../local-agent/commands/local-socket.ts";
import { CommandRefused } from "../../../local-agent/feature/command.ts";
import { atEnd, temporaryDirectory } from "../../harness/cleanup.ts";

const log = createLog({ format: "text", level: "silent" });
const PATIENCE_MS = 15_000;

let stateDir: string;
let commands: HostCommands;

beforeEach(() => {
  stateDir = temporaryDirectory();
  commands = new HostCommands();
});

async function opened(directory = stateDir): Promise<LocalSocket> {
  const socket = new LocalSocket({ stateDir: directory, commands, log });
  atEnd(() => socket.stop());
  await socket.start();
  return socket;
}

const ask = (type: string, payload?: unknown, directory = stateDir) => askAgent(directory, type, payload, PATIENCE_MS);

describe("the local socket", () => {
  it("carries a command to its handler and the result back", async () => {
    commands.add("double", (payload) => (payload as { n: number }).n * 2);
    await opened();
    expect(await ask("double", { n: 21 })).toBe(42);
  });

  it("is open to the agent's own user only", async () => {
    await opened();
    expect(statSync(join(stateDir, "agent.sock")).mode & 0o777).toBe(0o600);
  });

  it("reports a refused command and a failed one", async () => {
    commands.add("refuse", () => {
      throw new CommandRefused("there is no agent coder");
    });
    commands.add("fail", () => Promise.reject(new Error("the disk is full")));
    await opened();
    await expect(ask("refuse")).rejects.toThrow(new CommandFailed("there is no agent coder"));
    await expect(ask("fail")).rejects.toThrow(new CommandFailed("the disk is full"));
    await expect(ask("unheard")).rejects.toThrow('this host does not know "unheard": it knows fail, refuse');
  });

  it("says for programs why it refuses, where they do something else then", async () => {
    commands.add("foreign", () => {
      throw new CommandRefused("the agent belongs to another edge", "other-edge");
    });
    commands.add("refuse", () => {
      throw new CommandRefused("there is no agent coder");
    });
    await opened();
    const answerTo = async (type: string) => {
      const client = connect(join(stateDir, "agent.sock"));
      client.write(`${JSON.stringify({ type })}\n`);
      const chunks: Buffer[] = [];
      for await (const chunk of client) chunks.push(chunk as Buffer);
      return (JSON.parse(Buffer.concat(chunks).toString()) as { error: object }).error;
    };
    expect(await answerTo("unheard")).toMatchObject({ kind: "refused", code: "unknown-command" });
    expect(await answerTo("foreign")).toMatchObject({ kind: "refused", code: "other-edge" });
    expect(await answerTo("refuse")).toEqual({ kind: "refused", message: "there is no agent coder" });
  });

  it.each([
    ["is too long", "x".repeat(4 * 1024 * 1024 + 1), /ended before it answered: the answer exceeds 4194304 bytes/],
    ["ends in the midst", '{"result":1', /ended before it answered: the connection ended/],
    ["is no document", "hello\n", /is no agent of this version/],
  ])("is not waited for by a caller whose answer %s", async (_, text, reason) => {
    const server = createServer((socket) => socket.end(text));
    atEnd(() => void server.close());
    await new Promise<void>((listening) => server.listen(join(stateDir, "agent.sock"), listening));
    await expect(ask("ping")).rejects.toThrow(reason);
  });

  it("is given up by a caller whose patience ends", async () => {
    const server = createServer();
    atEnd(() => void server.close());
    await new Promise<void>((listening) => server.listen(join(stateDir, "agent.sock"), listening));
    await expect(askAgent(stateDir, "ping", undefined, 20)).rejects.toThrow("has not answered within 20 ms");
  });

  it("takes over from an agent that was killed, and leaves nothing when it stops", async () => {
    writeFileSync(join(stateDir, "agent.sock"), "");
    commands.add("ping", () => "pong");
    const socket = await opened();
    expect(await ask("ping")).toBe("pong");
    await socket.stop();
    await expect(ask("ping")).rejects.toThrow(new AgentUnreachable(`no agent runs in ${stateDir}`));
    await socket.start();
    expect(await ask("ping")).toBe("pong");
  });

  it("works in a state directory whose path is longer than a socket's may be", async () => {
    const deep = join(stateDir, "d".repeat(100), "e".repeat(100));
    mkdirSync(deep, { recursive: true });
    commands.add("ping", () => "pong");
    const socket = await opened(deep);
    expect(await ask("ping", undefined, deep)).toBe("pong");
    await socket.stop();
  });

  it("answers a running command before it closes", async () => {
    let finish = () => {};
    const begun = new Promise<void>((resolve) => {
      commands.add("slow", async () => {
        resolve();
        await new Promise<void>((done) => {
          finish = done;
        });
        return "done";
      });
    });
    const socket = await opened();
    const answer = ask("slow");
    await begun;
    const closed = socket.stop();
    finish();
    expect(await answer).toBe("done");
    await closed;
  });

  it("notifies a handler when its caller has disconnected", async () => {
    const gone = new Promise((resolve) => {
      commands.add("wait", (_, { signal }) => new Promise(() => signal.addEventListener("abort", resolve)));
    });
    await opened();
    const client = connect(join(stateDir, "agent.sock"));
    client.write('{"type":"wait"}\n', () => client.destroy());
    await gone;
  });

  it("answers a malformed request with the expected form", async () => {
    await opened();
    const client = connect(join(stateDir, "agent.sock"));
    client.end("GET / HTTP/1.1\n");
    const chunks: Buffer[] = [];
    for await (const chunk of client) chunks.push(chunk as Buffer);
    expect(JSON.parse(Buffer.concat(chunks).toString())).toEqual({
      error: { kind: "refused", message: "send one line of JSON: {type, payload}" },
    });
  });
});
