import { readdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { administratorToken } from "../../../local-edge/token.ts";
import { createClient } from "../../../src/client/client.ts";
import { openSocketSource } from "../../../src/client/stream/socket-source.ts";
import { temporaryDirectory } from "../../harness/cleanup.ts";
import { untilEnded } from "../../harness/process-alive.ts";
import { RunningProcess } from "../../harness/running-process.ts";
import { first, untilFile } from "../../harness/until.ts";

/** What `npm start` runs; the bus is left out because its ports are those of this machine's own bus. */
async function start(stateDir: string, args: readonly string[] = [], env: Readonly<Record<string, string>> = {}) {
  const running = new RunningProcess(["scripts/bootstrap.mjs", "scripts/start.ts", ...args], {
    env: {
      GANGLION_PORT: "0",
      GANGLION_STATE_DIR: stateDir,
      GANGLION_SOURCES: "sampler,intents",
      GANGLION_HOST_ID: "this-host",
      ...env,
    },
  });
  const [, url = ""] = await running.line(/^ready (\S+)$/);
  const { token } = administratorToken(stateDir);
  return { running, url, client: createClient({ url, token, openSource: openSocketSource }) };
}

describe("npm start", () => {
  it("says where things are, but not the token", async () => {
    const stateDir = temporaryDirectory();
    const { running, url } = await start(stateDir);
    const said = running.lines.join("\n");
    expect(said).toContain(`API      ${url}`);
    expect(said).toContain(`token    ${stateDir}/token`);
    expect(said).toMatch(/sampler\s+live/);
    expect(said).toMatch(/intents\s+live/);
    expect(said).toContain("npx ganglion signals --follow");
    expect(said).not.toContain(administratorToken(stateDir).token);
    await running.line(/signals\/s · \d+ in the log/);
    expect(await running.stop()).toBe(0);
  });

  it("links this host, and goes on with its log after a stop", async () => {
    const stateDir = temporaryDirectory();
    const before = await start(stateDir);
    const intent = { id: "q-1", type: "question", data: { question: "Why?" } };
    const file = join(stateDir, "intents", "q-1.json");
    writeFileSync(join(stateDir, "intents", ".q-1.tmp"), JSON.stringify(intent));
    renameSync(join(stateDir, "intents", ".q-1.tmp"), file);
    const asked = await first(
      before.client.follow({ after: 0 }),
      ({ signal }) => signal === "Q_CURIOSITY_INVESTIGATE",
      "the signal of the intent file",
    );
    expect(asked.facts).toMatchObject({ question: "Why?", question_id: "q-1" });
    await untilFile(file, { gone: true });
    expect((await before.client.status()).log.hosts).toEqual(["this-host"]);
    expect(await before.running.stop("SIGINT")).toBe(0);

    const after = await start(stateDir);
    expect((await after.client.signal(asked.id)).seq).toBe(asked.seq);
    expect(await after.running.stop()).toBe(0);
  });

  it("stops well on a Ctrl-C that reaches every process, several times", async () => {
    const { running } = await start(temporaryDirectory());
    running.signalGroup("SIGINT");
    running.signal("SIGINT");
    running.signal("SIGINT");
    expect(await running.ended).toBe(0);
    expect(running.lines.at(-1)).toContain("Stopped");
  });

  it("leaves nothing behind when it is killed", async () => {
    const stateDir = temporaryDirectory();
    const { running } = await start(stateDir);
    const children = processesOn(stateDir);
    expect(children.length).toBeGreaterThanOrEqual(3);
    running.signal("SIGKILL");
    await untilEnded(children);
  });

  it("starts again at once after it was killed, although its former agent is still stopping", async () => {
    const stateDir = temporaryDirectory();
    const config = join(stateDir, "slow.yaml");
    // An agent of the host that takes a while to stop keeps the former agent, and its state, with it.
    const script = "trap 'sleep 4; exit 0' TERM; while :; do sleep 0.1; done";
    writeFileSync(config, JSON.stringify({ agents: { slow: { command: ["bash", "-c", script] } } }));
    const env = { GANGLION_CONFIG: config };
    const { running } = await start(stateDir, [], env);
    running.signal("SIGKILL");
    const again = await start(stateDir, [], env);
    expect(again.running.lines.join("\n")).not.toContain("Another agent");
    expect(await again.running.stop()).toBe(0);
  });

  it("keeps neither a launcher nor the tools of the build in memory, and ends with npm", async () => {
    const stateDir = temporaryDirectory();
    // What the script of package.json says, as npm runs it: by a shell that is its child.
    const npm = `require("node:child_process").spawn("sh", ["-c", "exec sh scripts/run.sh scripts/start.ts"], { stdio: "inherit" })`;
    const running = new RunningProcess(["-e", npm], {
      env: { GANGLION_PORT: "0", GANGLION_STATE_DIR: stateDir, GANGLION_SOURCES: "sampler,intents" },
    });
    const [, url = ""] = await running.line(/^ready (\S+)$/);
    const processes = processesOn(stateDir).filter((pid) => pid !== running.pid);
    expect(processes).toHaveLength(3); // the edge, its runtime, and the agent
    expect((await fetch(`${url}/healthz`)).status).toBe(200);
    running.signal("SIGKILL");
    await untilEnded(processes);
  });

  it("runs the edge alone, and the agent alone against it", async () => {
    const edge = await start(temporaryDirectory(), ["--edge-only"]);
    expect(edge.running.lines.join("\n")).not.toContain("sources");
    const hostState = temporaryDirectory();
    const { token: agentToken } = await edge.client.tokens.create({
      name: "host-b",
      scopes: ["signals:write", "signals:read"],
      ecosystems: ["default"],
    });
    const agent = await start(hostState, ["--agent-only"], {
      GANGLION_URL: edge.url,
      GANGLION_TOKEN: agentToken,
      GANGLION_HOST_ID: "host-b",
    });
    expect(agent.url).toBe(edge.url);
    expect((await edge.client.status()).log.hosts).toEqual(["host-b"]);
    expect(await agent.running.stop()).toBe(0);
    expect(await edge.running.stop()).toBe(0);
  });

  it.each([[["--wat"]], [["--edge-only", "--agent-only"]]])("explains itself when it is asked for %j", async (args) => {
    const running = new RunningProcess(["scripts/bootstrap.mjs", "scripts/start.ts", ...args]);
    expect(await running.ended).toBe(2);
    expect(running.lines.join("\n")).toContain("Usage: npm start");
  });
});

/** Processes that were given this state directory: whatever they are, they belong to one start. */
function processesOn(stateDir: string): number[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => {
      try {
        return readFileSync(`/proc/${pid}/environ`, "utf8").includes(`GANGLION_STATE_DIR=${stateDir}`);
      } catch {
        return false; // it ended meanwhile, or is another user's
      }
    });
}
