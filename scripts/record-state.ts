import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { EdgeApi } from "./record-state/edge-api.ts";
import { type Recorded, Scene } from "./record-state/scene.ts";
import { StartedProcess } from "./record-state/started-process.ts";
import { startWebhookReceiver } from "./record-state/webhook-receiver.ts";

/**
 * `node scripts/record-state.ts <clone> <directory>`: lets the edge and the agent of a clone, at any commit, fill a state
 * directory with something of everything, kills both, and leaves `state.tar.gz` and `recorded.json` in the directory.
 * test/integration/start/recorded-state.test.ts starts today's edge and agent on it. The clone needs its node_modules.
 */
const [clone, target] = process.argv.slice(2).map((path) => resolve(path));
if (clone === undefined || target === undefined) {
  console.error("usage: node scripts/record-state.ts <clone> <directory>");
  process.exit(2);
}

const HOST = "recorded-host";
const AGENT_FILE = `reactions:
  quick:
    when: Q_QUICK
    run: { command: [/bin/sh, -c, "echo '{\\"done\\": true}'"] }
  slow:
    when: Q_SLOW
    run: { command: "touch begun; i=0; until test -e go || test $i -ge 600; do sleep 0.1; i=$((i+1)); done; echo '{}'" }
    retry: { attempts: 3, on_crash: retry }
  failing:
    when: Q_FAILING
    run: { command: [/bin/false] }
workers:
  directory: drop
  run:
    - name: review
      command: [/bin/sh, -c, 'read task; echo "{\\"seen\\": true}"']
    - name: broken
      command: [/bin/false]
      attempts: 1
`;
const work = mkdtempSync(join(tmpdir(), "ganglion-record-"));
try {
  const recorded = await record(clone, work);
  mkdirSync(target, { recursive: true });
  // The runtime's memory map and what a start makes anew are no state.
  const left = ["*-shm", "*.sock", "*.pid", "edge.lock", "edge.json", "agent.lock"].map((name) => `--exclude=${name}`);
  execFileSync("tar", ["-czf", join(target, "state.tar.gz"), ...left, "-C", work, "edge-state", "host"]);
  writeFileSync(join(target, "recorded.json"), `${JSON.stringify(recorded, null, 2)}\n`);
} finally {
  rmSync(work, { recursive: true, force: true, maxRetries: 10 });
}

async function record(from: string, directory: string): Promise<Recorded> {
  const [edgeState, host] = [join(directory, "edge-state"), join(directory, "host")];
  mkdirSync(host);
  const receiver = await startWebhookReceiver();
  const edge = new StartedProcess(from, ["local-edge/main.ts"], { GANGLION_PORT: "0", GANGLION_STATE_DIR: edgeState });
  const url = await edge.line(/^ready (\S+)$/);
  const api = EdgeApi.of(url, join(edgeState, "token"));
  writeFileSync(join(host, "agent.yaml"), AGENT_FILE);
  const agent = new StartedProcess(from, ["local-agent/main.ts"], {
    GANGLION_URL: url,
    GANGLION_TOKEN: api.token,
    GANGLION_HOST_ID: HOST,
    GANGLION_STATE_DIR: join(host, "state"),
    GANGLION_CONFIG: join(host, "agent.yaml"),
    GANGLION_SOURCES: "intents",
  });
  const scene = new Scene(api);
  try {
    await scene.setUp(receiver.url);
    await scene.emitSignals();
    await scene.openGaps();
    await scene.runTasks();
    await scene.runHost(host);
    const recorded = await scene.finish();
    // From here on the agent is on its own: what it takes in stays in its spool.
    await edge.kill();
    await dropWhileAway(host);
    await agent.kill();
    // The command that outlived its agent ends by this; the recorded host must not have it.
    writeFileSync(join(host, "go"), "");
    await pause(500);
    rmSync(join(host, "go"));
    const commit = execFileSync("git", ["rev-parse", "HEAD"], { cwd: from, encoding: "utf8" }).trim();
    return { ...recorded, commit, host: HOST };
  } finally {
    await edge.kill();
    await agent.kill();
    receiver.close();
  }
}

/** One intent that becomes a signal, and one that becomes a dead letter, while no edge answers. */
async function dropWhileAway(host: string): Promise<void> {
  const intents = join(host, "state", "intents");
  const drop = (name: string, intent: unknown) => {
    writeFileSync(join(intents, `.${name}.tmp`), JSON.stringify(intent));
    renameSync(join(intents, `.${name}.tmp`), join(intents, name));
  };
  drop("spooled.json", { id: "spooled", type: "question", data: { question: "Is the spool read?" } });
  drop("unknown.json", { id: "unknown", type: "make.coffee", data: {} });
  while (existsSync(join(intents, "spooled.json")) || existsSync(join(intents, "unknown.json"))) await pause(50);
  await pause(500);
}
