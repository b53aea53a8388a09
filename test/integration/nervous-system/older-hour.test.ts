import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { PROJECT_ROOT } from "../../../local-edge/paths.ts";
import { administratorToken } from "../../../local-edge/token.ts";
import { type Client, createClient } from "../../../src/client/client.ts";
import type { Signal } from "../../../src/core/signals/signal.ts";
import { temporaryDirectory } from "../../harness/cleanup.ts";
import { eventually } from "../../harness/eventually.ts";
import { hasPythonBus, PYTHON } from "../../harness/python-bus.ts";
import { RunningProcess } from "../../harness/running-process.ts";
import { freeEndpoints } from "../bus/bus-parts.ts";

const FIXTURE = join(PROJECT_ROOT, "test/fixtures/older-hour");
const MINUTES = 60;

/** What the older system sent in that hour: as many signals of each name, and no others. */
const SENT = {
  // 2 programs on the bus and 6 metric files, each minute.
  OBSERVATION: 8 * MINUTES,
  Q_SLEEP_STARTED: 2,
  Q_SLEEP_ENDED: 1,
  Q_PROMOTIONS_DETECTED: 2,
  Q_DREAM_TRIGGER: 2,
  Q_DREAM_COMPLETE: 2,
  CAPABILITY_GAP: 5,
  // 6 intents and 5 gaps; one of the intents asks what another one did.
  Q_CURIOSITY_INVESTIGATE: 11,
  Q_INVESTIGATION_DUPLICATE: 1,
  Q_INVESTIGATION_COMPLETE: 11,
  Q_MODULE_DISCOVERED: 1,
  Q_MODULE_INTEGRATED: 1,
  // One of four tasks fails, and is tried twice.
  Q_WORKER_TASK_STARTED: 5,
  Q_WORKER_TASK_COMPLETE: 3,
  Q_WORKER_TASK_FAILED: 1,
};
/** Of the machine on which the hour is played, and not of the hour. */
const NOT_OF_THE_HOUR = new Set(["Q_AGENT_UP", "Q_PROGRAM_SILENT", "Q_PROGRAM_BACK"]);

const SETTINGS = `
intents: {directory: intents}
metrics: {directory: metrics, files: {fitness_ledger.jsonl: lineage/fitness_ledger.jsonl}}
sampler: {enabled: false}
monitors:
  {promotions_directory: promotions, promotions_files: json, investigation_log: curiosity_investigations.jsonl, health: false}
reactions:
  integrate: {run: {built_in: capability-integrator, root: organs}}
`;

/** The directories of the host, as the older programs had them. */
function olderHost(): string {
  const root = temporaryDirectory();
  for (const name of ["intents", "metrics", "lineage", "promotions/acknowledged", "organs/Vision", "tasks/claude"])
    mkdirSync(join(root, name), { recursive: true });
  mkdirSync(join(root, "tasks/review"));
  writeFileSync(join(root, "organs/Vision/eyes.py"), "");
  writeFileSync(join(root, "organs/Vision/lids.py"), "");
  writeFileSync(join(root, "capabilities.yaml"), "modules:\n  - hearing\n");
  writeFileSync(join(root, "ganglion-agent.yaml"), SETTINGS);
  return root;
}

/** `npm start` with the variables that the host's older programs had. */
async function start(root: string) {
  const bus = await freeEndpoints();
  const stateDir = temporaryDirectory();
  const running = new RunningProcess(["scripts/bootstrap.mjs", "--no-install", "scripts/start.ts"], {
    env: {
      GANGLION_PORT: "0",
      GANGLION_STATE_DIR: stateDir,
      GANGLION_HOST_ID: "older-host",
      GANGLION_CONFIG: join(root, "ganglion-agent.yaml"),
      GANGLION_OBSERVABILITY_PORT: "off",
      GANGLION_WORKERS_LAYOUT: "classic",
      KLR_CHEM_XSUB: bus.xsub,
      KLR_CHEM_XPUB: bus.xpub,
      TASK_DIR: join(root, "tasks"),
      TRIGGER_DIR: join(root, "triggers"),
      RESULT_DIR: join(root, "results"),
      HEARTBEAT_DIR: join(root, "heartbeats"),
      DLQ_DIR: join(root, "dlq"),
      MAX_RETRIES: "1",
      INITIAL_RETRY_DELAY: "0.001",
      CLAUDE_COMMAND: 'read -r task; case "$task" in *\'"description":"fail"\'*) exit 3;; esac; echo done',
    },
  });
  const [, url = ""] = await running.line(/^ready (\S+)$/);
  const { token } = administratorToken(stateDir);
  return { bus, client: createClient({ url, token }) };
}

/** Lets the programs of the host do what they did in the hour, a minute after the other, as fast as they can. */
async function playHour(root: string, { xsub, xpub }: { xsub: string; xpub: string }, client: Client): Promise<void> {
  const args = [join(FIXTURE, "programs.py"), join(FIXTURE, "hour.json"), root, xsub, xpub];
  const programs = new RunningProcess(args, { command: PYTHON, stdin: "pipe" });
  await programs.line(/^programs run$/);
  for (let minute = 1; minute <= MINUTES; minute++) {
    // In the hour, a dream had long ended before the next promotion came.
    if (minute === 40) await eventually(async () => expect(await named(client, "Q_DREAM_COMPLETE")).toHaveLength(1));
    programs.child.stdin?.write(`${minute}\n`);
    await programs.line(new RegExp(`^minute ${minute}$`));
    // What the edge does each minute.
    await client.agents.runMonitors();
  }
}

async function all(client: Client): Promise<Signal[]> {
  const { signals } = await client.signals({ limit: 1_000 });
  return signals.filter(({ signal }) => !NOT_OF_THE_HOUR.has(signal));
}
const named = async (client: Client, name: string) => (await client.signals({ signals: [name], limit: 1_000 })).signals;

const countsOf = (signals: readonly Signal[]) =>
  Object.fromEntries([...Map.groupBy(signals, ({ signal }) => signal)].map(([name, group]) => [name, group.length]));

describe.skipIf(!hasPythonBus)("an hour of an older host's traffic, played to a fresh npm start", () => {
  let root: string;
  let client: Client;
  beforeAll(async () => {
    root = olderHost();
    const started = await start(root);
    client = started.client;
    await playHour(root, started.bus, client);
    // Signals beyond these would have come by then, or soon: the counts are compared once more, exactly.
    await eventually(async () => expect(countsOf(await all(client))).toMatchObject(SENT));
  });

  it("becomes each signal and each trigger of the older system once, and no other", async () => {
    const signals = await all(client);
    expect(countsOf(signals)).toEqual(SENT);
    const of = (name: string) => signals.filter(({ signal }) => signal === name).map(({ facts }) => facts);
    expect(of("CAPABILITY_GAP").map(({ gap_name }) => gap_name)).toEqual(
      expect.arrayContaining([
        "slow_inference_summarise",
        "recency_bias_reader",
        "cpu_bottleneck_box",
        "queue_buildup_ingest",
        "slow_operation_reindex",
      ]),
    );
    const measured = of("OBSERVATION").map(({ zooid, niche, n }) => `${zooid} ${niche} ${n}`);
    expect(new Set(measured).size).toBe(SENT.OBSERVATION);
    expect(of("Q_DREAM_TRIGGER").map(({ promotion_count }) => promotion_count)).toEqual([2, 1]);
    expect(new Set(of("Q_INVESTIGATION_COMPLETE").map(({ question_id }) => question_id)).size).toBe(11);
    expect(of("Q_MODULE_INTEGRATED")).toMatchObject([{ module_name: "Vision" }]);
  });

  it("dead-letters what the older system could not handle either, and nothing else", async () => {
    const { dead_letters } = await client.deadLetters.list();
    expect(dead_letters.map(({ kind }) => kind)).toEqual(["intent"]);
    expect(readdirSync(join(root, "dlq/claude"))).toEqual([expect.stringMatching(/^t-3_\d+\.json$/)]);
  });

  it("leaves the files that the older programs read", () => {
    const json = (...parts: string[]) => JSON.parse(readFileSync(join(root, ...parts), "utf8"));
    expect(
      ["claude/t-1", "review/t-2", "claude/t-3", "review/t-4"].map((id) => json(`results/${id}.json`)),
    ).toMatchObject([
      { task_id: "t-1", status: "completed", exit_code: 0, stdout: "done\n", retry_count: 0 },
      { task_id: "t-2", status: "completed" },
      { task_id: "t-3", status: "failed", exit_code: 3, retry_count: 1 },
      { task_id: "t-4", status: "completed" },
    ]);
    expect(existsSync(join(root, "triggers/review/t-2.trigger"))).toBe(true);
    expect(readdirSync(join(root, "intents")).filter((name) => name.endsWith(".json"))).toEqual([]);
    expect(readdirSync(join(root, "promotions/acknowledged")).sort()).toEqual(["p-1.json", "p-2.json", "p-3.json"]);
    expect(readFileSync(join(root, "capabilities.yaml"), "utf8")).toBe("modules:\n  - hearing\n  - Vision\n");
  });
});
