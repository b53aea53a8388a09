import { mkdirSync } from "node:fs";
import { createServer, type Server } from "node:net";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { hostDoor } from "../../../src/client/limits/host-door.ts";
import type { HostReserveInput } from "../../../src/core/limits/host/api.ts";
import { atEnd, temporaryDirectory } from "../../harness/cleanup.ts";

let stateDir: string;
beforeEach(() => {
  stateDir = temporaryDirectory();
  vi.stubEnv("GANGLION_STATE_DIR", stateDir);
});
afterEach(() => {
  vi.unstubAllEnvs();
});

const request: HostReserveInput = { url: "http://edge", ecosystem: "default", limit: "api", id: "h-12345678" };

/** An agent that gives each caller the same answer. @returns how often it was asked */
async function agentThatAnswers(answer: string, directory = stateDir): Promise<() => number> {
  let asked = 0;
  const server: Server = createServer((socket) => {
    socket.once("data", () => {
      asked++;
      socket.end(answer);
    });
    socket.on("error", () => undefined);
  });
  atEnd(() => void server.close());
  // A path that is too long for a socket is reached from its directory.
  const cwd = process.cwd();
  process.chdir(directory);
  await new Promise<void>((listening) => server.listen("agent.sock", listening));
  process.chdir(cwd);
  return () => asked;
}

const refusal = (error: object) => `${JSON.stringify({ error: { kind: "refused", ...error } })}\n`;
const granted = `${JSON.stringify({ result: { granted: true, reservation: "h-12345678" } })}\n`;

describe("a process that asks the agent of its host", () => {
  it("is given what the agent holds", async () => {
    await agentThatAnswers(granted);
    expect(await hostDoor().reserve(request)).toEqual({ granted: true, reservation: "h-12345678" });
  });

  it.each([
    ["the code of another edge", { code: "other-edge", message: "not for you" }],
    ["the code of a command that it does not know", { code: "unknown-command", message: "what is that?" }],
    ["the words of an agent without codes", { message: "the agent of this host belongs to another edge or ecosystem" }],
    ["the words of an agent without shares", { message: 'this host does not know "limit.reserve": it knows ping' }],
  ])("does not ask it again after %s", async (_, error) => {
    const asked = await agentThatAnswers(refusal(error));
    const door = hostDoor();
    expect(await door.reserve(request)).toBeUndefined();
    expect(await door.reserve(request)).toBeUndefined();
    expect(asked()).toBe(1);
  });

  it.each([
    ["another refusal", { message: "/limit: give a name" }],
    ["a refusal whose code it does not know, whatever its words are", { code: "later", message: "another edge" }],
  ])("asks it again after %s", async (_, error) => {
    const asked = await agentThatAnswers(refusal(error));
    const door = hostDoor();
    await door.reserve(request);
    await door.reserve(request);
    expect(asked()).toBe(2);
  });

  it("finds it in a directory whose path is longer than a socket's may be", async () => {
    const deep = join(stateDir, "d".repeat(100), "e".repeat(100));
    mkdirSync(deep, { recursive: true });
    vi.stubEnv("GANGLION_STATE_DIR", deep);
    const asked = await agentThatAnswers(granted, deep);
    expect(await hostDoor().reserve(request)).toMatchObject({ granted: true });
    expect(asked()).toBe(1);
  });

  it.each([
    ["ends in the midst", '{"result":'],
    ["is longer than any answer", "x".repeat(5 * 1024 * 1024)],
    ["is no document", "hello\n"],
  ])("goes on without it where its answer %s, and tells a settlement anew", async (_, answer) => {
    await agentThatAnswers(answer);
    const door = hostDoor();
    expect(await door.reserve(request)).toBeUndefined();
    const { url, ecosystem, limit } = request;
    await expect(door.settle({ url, ecosystem, limit, reservation: "h-12345678" })).rejects.toThrow(
      /^the agent at .* gave no answer: /,
    );
  });

  it("goes on at once where nobody listens, and where it gives up itself", async () => {
    expect(await hostDoor().reserve(request)).toBeUndefined();
    await agentThatAnswers(granted);
    const gone = AbortSignal.abort(new Error("enough"));
    await expect(hostDoor().reserve(request, gone)).rejects.toThrow("enough");
  });
});
