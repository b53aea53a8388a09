import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { askAgent } from "../../../local-agent/commands/ask-agent.ts";
import type { AgentState } from "../../../src/core/supervisor/api.ts";
import { temporaryDirectory } from "../../harness/cleanup.ts";
import { eventually } from "../../harness/eventually.ts";
import { runAgent } from "../../harness/running-agent.ts";
import { type RunningEdge, runEdge } from "../../harness/running-edge.ts";
import { PATIENCE_MS } from "../../harness/until.ts";

/** Takes the messages of its mailbox, acts on each, writes their ids down, and ends: it runs no longer than it has mail. */
const READER = `
const { appendFileSync } = require("node:fs");
const [, name, runs, url, token] = process.argv;
const ask = (path, body) =>
  fetch(url + "/v1/default" + path, {
    method: "POST",
    headers: { Authorization: "Bearer " + token, "Content-Type": "application/json" },
    body: JSON.stringify(body),
  }).then((answer) => answer.json());
(async () => {
  const { messages } = await ask("/mailboxes/" + name + "/receive", { max: 10 });
  for (const { id } of messages) await ask("/mail/" + id + "/act", { result: "done by " + process.pid });
  appendFileSync(runs, JSON.stringify(messages.map(({ id }) => id)) + "\\n");
})();
`;

let edge: RunningEdge;
beforeAll(async () => {
  edge = await runEdge();
});

interface Host {
  readonly stateDir: string;
  /** The ids of the messages that each run of an agent found. */
  readonly runsOf: (name: string) => string[][];
  readonly state: (name: string) => Promise<AgentState>;
  readonly stop: (name: string) => Promise<unknown>;
}

/** A host with agents that read their mail and end. None of them runs by itself. */
async function hostWith(
  host: string,
  agents: Readonly<Record<string, { readonly wake_on_mail: boolean }>>,
): Promise<Host> {
  const stateDir = temporaryDirectory();
  const file = (name: string) => join(stateDir, `${name}.runs`);
  const definitions = Object.entries(agents).map(([name, { wake_on_mail }]) => {
    const command = [process.execPath, "-e", READER, name, file(name), edge.url, edge.token];
    return [name, { command, autostart: false, restart: "never", wake_on_mail }];
  });
  const config = join(stateDir, "ganglion-agent.yaml");
  writeFileSync(config, JSON.stringify({ agents: Object.fromEntries(definitions) }));
  const agent = await runAgent(edge, { host, stateDir, sources: [], env: { GANGLION_CONFIG: config } });
  await agent.commandable();
  // The edge knows of the host's agents a moment after they are there.
  await eventually(async () => {
    const known = ((await edge.client().agents.get(host)).runs?.agents ?? []) as readonly AgentState[];
    if (known.length !== definitions.length) throw new Error("the edge does not know the agents yet");
  });
  const ask = async (command: string, names: string[]) =>
    (await askAgent(stateDir, command, { names }, PATIENCE_MS)) as { agents: AgentState[] };
  return {
    stateDir,
    runsOf: (name) => {
      let text = "";
      try {
        text = readFileSync(file(name), "utf8");
      } catch {
        return []; // it has not run
      }
      return text
        .trim()
        .split("\n")
        .map((line) => JSON.parse(line) as string[]);
    },
    state: async (name) => {
      const [state] = (await ask("supervisor.status", [name])).agents;
      if (state === undefined) throw new Error(`no agent ${name}`);
      return state;
    },
    stop: (name) => ask("supervisor.stop", [name]),
  };
}

const acted = (id: string) =>
  eventually(async () => {
    const message = await edge.client().mail.show(id);
    if (message.state !== "acted") throw new Error(`${id} is ${message.state}`);
    return message;
  });

describe("an agent that sleeps on its host", () => {
  it("is started by a message, reads it, and sleeps again; the same message once more starts it no second time", async () => {
    const host = await hostWith("mail-a", { sleeper: { wake_on_mail: true }, deaf: { wake_on_mail: false } });
    const { mail } = edge.client();
    expect(await host.state("sleeper")).toMatchObject({ pid: null, wakes_on_mail: true });
    const sent = await mail.send({ id: "wake-1", to: "sleeper", body: "look" });
    expect(sent).toMatchObject({ wake: "asked", hosts: ["mail-a"] });
    expect((await acted("wake-1")).result).toMatch(/^done by \d+$/);
    await eventually(async () => expect((await host.state("sleeper")).pid).toBeNull());
    expect(host.runsOf("sleeper")).toEqual([["wake-1"]]);
    expect(await mail.send({ id: "wake-1", to: "sleeper", body: "look" })).toMatchObject({ known: true });
    // The edge wakes those of whom it knows that they sleep, which it learns a moment after they have ended.
    await eventually(async () => {
      const known = ((await edge.client().agents.get("mail-a")).runs?.agents ?? []) as readonly AgentState[];
      expect(known.find(({ name }) => name === "sleeper")?.pid).toBeNull();
    });
    // A later message starts it again: had the repeated one done so, there would be a run in between without mail.
    await mail.send({ id: "wake-2", to: "sleeper", body: "again" });
    await acted("wake-2");
    await eventually(async () => expect((await host.state("sleeper")).pid).toBeNull());
    expect(host.runsOf("sleeper")).toEqual([["wake-1"], ["wake-2"]]);
    // One whose settings do not say so is left alone, and its message waits.
    expect(await mail.send({ id: "deaf-1", to: "deaf", body: "hello" })).toMatchObject({ wake: "none", hosts: [] });
    expect(await host.state("deaf")).toMatchObject({ pid: null });
    expect(host.runsOf("deaf")).toEqual([]);
    expect((await mail.show("deaf-1")).state).toBe("sent");
  });

  it("stays as it is where a person has stopped it, and where the edge commands it all the same", async () => {
    const host = await hostWith("mail-b", { stopped: { wake_on_mail: true }, awake: { wake_on_mail: true } });
    const { mail } = edge.client();
    await host.stop("stopped");
    expect(await host.state("stopped")).toMatchObject({ state: "stopped", desired: "stopped" });
    await mail.send({ id: "stopped-1", to: "stopped", body: 1 });
    // Commands of one host come in their order: when the second agent has acted, the command about the first was done.
    await mail.send({ id: "awake-1", to: "awake", body: 1 });
    await acted("awake-1");
    expect(await host.state("stopped")).toMatchObject({ state: "stopped", pid: null });
    expect(host.runsOf("stopped")).toEqual([]);
    expect((await mail.show("stopped-1")).state).toBe("sent");
  });

  it("is started when its host comes back, by a message that was sent while the host was away", async () => {
    const stateDir = temporaryDirectory();
    const runs = join(stateDir, "late.runs");
    const config = join(stateDir, "ganglion-agent.yaml");
    const command = [process.execPath, "-e", READER, "late", runs, edge.url, edge.token];
    writeFileSync(
      config,
      JSON.stringify({ agents: { late: { command, autostart: false, restart: "never", wake_on_mail: true } } }),
    );
    const settings = { host: "mail-c", stateDir, sources: [], env: { GANGLION_CONFIG: config } };
    const before = await runAgent(edge, settings);
    await before.commandable();
    await eventually(async () => {
      const known = ((await edge.client().agents.get("mail-c")).runs?.agents ?? []) as readonly AgentState[];
      if (known.length !== 1) throw new Error("the edge does not know the agent yet");
    });
    before.process.signal("SIGKILL");
    await before.process.ended.catch(() => undefined);
    const sent = await edge.client().mail.send({ id: "late-1", to: "late", body: 1 });
    expect(sent).toMatchObject({ wake: "asked", hosts: ["mail-c"] });
    await runAgent(edge, settings);
    await acted("late-1");
    await eventually(async () => expect(readFileSync(runs, "utf8")).toBe('["late-1"]\n'));
  });
});
