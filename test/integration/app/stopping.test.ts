import { readFileSync } from "node:fs";
import { connect, createServer, type Socket } from "node:net";
import { join } from "node:path";
import pino from "pino";
import { expect, test } from "vitest";
import { Agent } from "../../../local-agent/app/agent.ts";
import { stopService } from "../../../local-agent/app/feature-instance.ts";
import { askAgent } from "../../../local-agent/commands/ask-agent.ts";
import { AgentsSettings } from "../../../local-agent/supervisor/settings.ts";
import { atEnd, temporaryDirectory } from "../../harness/cleanup.ts";
import { eventually } from "../../harness/eventually.ts";
import { alive } from "../../harness/process-alive.ts";
import { untilFile, within } from "../../harness/until.ts";
import { freeEndpoints } from "../bus/bus-parts.ts";
import { agentOptions } from "./agent-options.ts";

function aLog() {
  const lines: string[] = [];
  const write = (line: string) => void lines.push((JSON.parse(line) as { msg: string }).msg);
  return { lines, logger: pino({ level: "debug", base: null }, { write }) };
}

/** Takes connections, and never says a word: worse than an edge that refuses them. */
async function aSilentEdge(): Promise<string> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => void sockets.add(socket.on("error", () => undefined)));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  atEnd(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as { port: number }).port}`;
}

test("an agent with a silent edge, a child that ignores signals and a running command stops in order, each service within its limit", async () => {
  const directory = temporaryDirectory();
  const { lines, logger } = aLog();
  const deaf = "trap '' TERM; echo $$ > pid; touch up; while :; do sleep 1; done";
  const agent = new Agent({
    ...agentOptions(directory, await aSilentEdge()),
    ...(await freeEndpoints()),
    logger,
    stopMs: 300,
    sources: ["intents", "bus"],
    configFile: join(directory, "agent.yaml"),
    agents: AgentsSettings.parse({ deaf: { command: ["sh", "-c", deaf], stop_seconds: 4 } }),
  });
  atEnd(() => agent.stop());
  await agent.start();
  await untilFile(join(directory, "up"));
  const pid = Number(readFileSync(join(directory, "pid"), "utf8"));
  const state = join(directory, "state");
  // Somebody has connected and says nothing; somebody else waits for the end of what does not end when it is asked to.
  const silent = connect(join(state, "agent.sock"));
  atEnd(() => void silent.destroy());
  await new Promise<void>((resolve) => silent.once("connect", () => resolve()));
  const asked = askAgent(state, "supervisor.stop", { names: ["deaf"] }, 60_000).catch((error: Error) => error.message);
  await eventually(() => expect(lines).toContain("agent deaf: SIGTERM was sent"));

  await within(agent.stop(), "the agent to stop");
  const steps = lines.filter((line) => /: stopped$|still running|did not stop/.test(line));
  const place = (step: string) => steps.findIndex((line) => line.startsWith(step));
  expect(steps.slice(0, 2)).toEqual([
    expect.stringContaining("commands: "),
    expect.stringContaining("local socket: a command is still running"),
  ]);
  expect(steps[2]).toBe("local socket: stopped");
  for (const part of ["intents", "bus", "agents"]) {
    expect(steps).toContain(`${part}: stopped`);
    expect(place(`${part}: `)).toBeGreaterThan(2);
    expect(place(`${part}: `)).toBeLessThan(place("link: "));
  }
  expect(steps.at(-1)).toBe("link: stopped");
  expect(await asked).toContain("ended before it answered");
  expect(alive(pid)).toBe(false);
});

test("a service that never stops is skipped after its limit, and named in the log", async () => {
  const { lines, logger } = aLog();
  const hangs = { name: "hangs", start: async () => {}, stop: () => new Promise<void>(() => {}) };
  await stopService(hangs, logger, 1);
  await stopService({ ...hangs, stopMs: 2 }, logger, 60_000);
  await stopService({ ...hangs, name: "fails", stop: () => Promise.reject(new Error("no")) }, logger, 60_000);
  await stopService({ ...hangs, name: "stops", stop: async () => {} }, logger, 60_000);
  expect(lines).toEqual([
    "hangs: did not stop within 0.001 s; continuing without waiting",
    "hangs: did not stop within 0.002 s; continuing without waiting",
    "fails: failed to stop",
    "stops: stopped",
  ]);
});
