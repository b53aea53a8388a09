import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { askAgent } from "../../../local-agent/commands/ask-agent.ts";
import type { AgentState } from "../../../src/core/supervisor/api.ts";
import { temporaryDirectory } from "../../harness/cleanup.ts";
import { eventually } from "../../harness/eventually.ts";
import { alive, untilEnded } from "../../harness/process-alive.ts";
import { runAgent } from "../../harness/running-agent.ts";
import { type RunningEdge, runEdge } from "../../harness/running-edge.ts";
import { RunningProcess } from "../../harness/running-process.ts";
import { first, PATIENCE_MS } from "../../harness/until.ts";
import { beating } from "./agent-programs.ts";

let edge: RunningEdge;
beforeAll(async () => {
  edge = await runEdge();
});

/** A host agent that was configured by a file. JSON is YAML, too. */
async function agentWith(host: string, agents: Record<string, unknown>, stateDir = temporaryDirectory()) {
  const config = join(stateDir, "ganglion-agent.yaml");
  writeFileSync(config, JSON.stringify({ agents }));
  return runAgent(edge, { host, stateDir, sources: [], env: { GANGLION_CONFIG: config } });
}

async function ganglion(stateDir: string, ...args: string[]) {
  const { PATH } = process.env;
  const command = new RunningProcess(["cli/ganglion.mjs", ...args], {
    env: { PATH, GANGLION_URL: edge.url, GANGLION_TOKEN: edge.token, GANGLION_STATE_DIR: stateDir },
  });
  return { code: await command.ended, lines: command.lines };
}
const states = (lines: readonly string[]) => lines.map((line) => JSON.parse(line) as AgentState);
/** Its agents, once `wanted` accepts them. */
async function agentsOf(stateDir: string, wanted: (agents: readonly AgentState[]) => boolean): Promise<AgentState[]> {
  return eventually(async () => {
    const { agents } = (await askAgent(stateDir, "supervisor.status", {}, PATIENCE_MS)) as { agents: AgentState[] };
    if (!wanted(agents)) throw new Error(`not yet: ${JSON.stringify(agents)}`);
    return agents;
  });
}

describe("a host agent with a team", () => {
  it("is commanded by name on its own machine, with no edge needed", async () => {
    const { stateDir, process: agent } = await agentWith("host-a", {
      coder: { command: beating("working") },
      tester: { command: beating("idle") },
    });
    await agentsOf(stateDir, ([coder]) => coder?.verdict === "working");
    const { code, lines } = await ganglion(stateDir, "stop", "tester", "--json", "--url", "http://127.0.0.1:9");
    expect(code).toBe(0);
    expect(states(lines)).toMatchObject([{ name: "tester", state: "stopped" }]);
    const table = await ganglion(stateDir, "ps");
    expect(table.lines).toEqual([
      expect.stringMatching(/^NAME +STATE +PID +UPTIME +CPU % +MEMORY MB +RESTARTS +TASK +DETAIL$/),
      expect.stringMatching(/^coder +working +\d+ +\d+ (s|min) /),
      expect.stringMatching(/^tester +stopped +- +- /),
    ]);
    expect(states((await ganglion(stateDir, "start", "tester", "--json")).lines)).toMatchObject([{ state: "up" }]);
    expect((await ganglion(stateDir, "status")).lines.join("\n")).toMatch(/^NAME +STATE[\s\S]*^coder/m);
    expect((await ganglion(stateDir, "logs", "coder")).lines[0]).toMatch(/process \d+ was started$/);
    expect(await ganglion(stateDir, "stop", "cook")).toEqual({
      code: 1,
      lines: ["ganglion: this host has no agent cook; it has coder, tester"],
    });
    expect(await agent.stop()).toBe(0);
    expect(await ganglion(stateDir, "ps")).toMatchObject({ code: 1, lines: [expect.stringMatching(/no agent runs/)] });
  });

  it("is commanded through the edge, which knows how its agents fare", async () => {
    const { stateDir, commandable } = await agentWith("host-b", { coder: { command: beating("working") } });
    await commandable();
    const [before] = states((await ganglion(stateDir, "ps", "--host", "host-b", "--json")).lines);
    expect(before).toMatchObject({ name: "coder", state: "up" });
    const { code, lines } = await ganglion(temporaryDirectory(), "restart", "coder", "--host", "host-b", "--json");
    expect(code).toBe(0);
    expect(states(lines)[0]).toMatchObject({ state: "up", restarts: 1 });
    const restarted = await first(
      edge.client().follow({ after: 0, signals: ["Q_PROCESS_RESTARTED"] }),
      ({ facts }) => facts.host === "host-b",
      "word of the restart",
    );
    expect(restarted.facts).toMatchObject({ agent: "coder", reason: "a restart was requested" });
    // The host tells of itself when something changed, a moment after it did.
    for (let runs: unknown[] = []; (runs[0] as AgentState | undefined)?.restarts !== 1; )
      runs = ((await edge.client().agents.get("host-b")).runs?.agents ?? []) as unknown[];
  });

  it("lets its agents go on when the edge is away", async () => {
    const own = await runEdge();
    const stateDir = temporaryDirectory();
    const config = join(stateDir, "ganglion-agent.yaml");
    writeFileSync(config, JSON.stringify({ agents: { coder: { command: beating("waiting") } } }));
    const agent = await runAgent(own, { stateDir, sources: [], env: { GANGLION_CONFIG: config } });
    await agent.linked();
    const [before] = await agentsOf(stateDir, ([coder]) => coder?.verdict === "waiting");
    await own.process.killGroup();
    await agent.process.line(/warn .*link: /);
    const [after] = await agentsOf(stateDir, () => true);
    expect(after).toMatchObject({ pid: before?.pid, state: "up", verdict: "waiting", restarts: 0 });
  });

  it("ends what it had started before it was killed, and starts anew", async () => {
    const agents = { coder: { command: beating("idle") } };
    const first = await agentWith("host-c", agents);
    const [coder] = await agentsOf(first.stateDir, ([one]) => one?.state === "up");
    first.process.signal("SIGKILL");
    await first.process.ended.catch(() => undefined);
    const again = await agentWith("host-c", agents, first.stateDir);
    await untilEnded([coder?.pid ?? 0]);
    const [next] = await agentsOf(again.stateDir, ([one]) => one?.state === "up");
    expect(next?.pid).not.toBe(coder?.pid);
    expect(await again.process.stop()).toBe(0);
    expect(alive(next?.pid ?? 0)).toBe(false);
  });
});
