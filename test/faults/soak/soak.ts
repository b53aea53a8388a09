import { mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import type { Signal } from "../../../src/core/signals/signal.ts";
import { temporaryDirectory } from "../../harness/cleanup.ts";
import { freePort } from "../../harness/free-port.ts";
import { type RunningAgent, runAgent } from "../../harness/running-agent.ts";
import { type RunningEdge, runEdge } from "../../harness/running-edge.ts";
import { RunningProcess } from "../../harness/running-process.ts";
import { first, within } from "../../harness/until.ts";
import { Rng } from "../rng.ts";
import { busNumbersIn, readLog } from "../what-is-kept.ts";
import { openNetwork } from "./cuttable-network.ts";
import { type Amounts, runFlows } from "./flows.ts";
import { QUEUE, writeConfig } from "./host-config.ts";
import { smallDisk } from "./small-disk.ts";

const FAULTS = ["network", "edge", "agent", "disk", "bus"] as const;
type Fault = (typeof FAULTS)[number];

export interface SoakOptions {
  readonly seed: number;
  readonly faults: number;
  readonly amounts: Amounts;
  readonly say?: (line: string) => void;
}

export interface SoakOutcome {
  readonly log: readonly Signal[];
  readonly happened: Readonly<Record<Fault, number>>;
  /** Task ids with the status and the number of endings of each. */
  readonly tasks: readonly (readonly [id: string, status: string, endings: number])[];
  /** Numbers of bus signals that lay in the agent's spool when it was killed: it had taken them. */
  readonly spooled: ReadonlySet<number>;
  /** How often the commands were begun, by what for. */
  readonly runs: Readonly<Record<"reactions" | "tasks" | "dropped", number>>;
}

/**
 * A bad day in short: the network is cut, the edge killed, the agent killed, its disk filled and the proxy of its bus
 * restarted, in an order that the seed gives, while signals, intents, tasks, reactions and dropped files flow. Then
 * everything is left alone until it has come to rest.
 */
export async function soak({ seed, faults, amounts, say = () => {} }: SoakOptions): Promise<SoakOutcome> {
  const rng = new Rng(seed);
  const port = await freePort();
  const bus = { xsub: `tcp://127.0.0.1:${await freePort()}`, xpub: `tcp://127.0.0.1:${await freePort()}` };
  const busEnv = { KLR_CHEM_XSUB: bus.xsub, KLR_CHEM_XPUB: bus.xpub };
  const edgeState = temporaryDirectory();
  const home = temporaryDirectory();
  const intentsDir = join(home, "intents");
  const ran = join(home, "ran");
  mkdirSync(ran);
  const disk = smallDisk(64);
  if (!disk.canFill) say("no disk of its own may be mounted here: the disk is not filled");
  const network = await openNetwork(port);
  const config = writeConfig(home, ran);

  const startEdge = () => runEdge({ stateDir: edgeState, port });
  const startProxy = async () => {
    const proxy = new RunningProcess(["test/faults/soak/bus-proxy.ts"], { env: busEnv });
    await proxy.line(/^up$/);
    return proxy;
  };
  const startAgent = ({ token }: RunningEdge) =>
    runAgent(
      { url: `http://127.0.0.1:${network.port}`, token },
      {
        stateDir: disk.directory,
        sources: ["bus", "intents"],
        env: { ...busEnv, GANGLION_CONFIG: config, GANGLION_INTENTS_DIR: intentsDir },
      },
    );
  let edge = await startEdge();
  let proxy = await startProxy();
  let agent: RunningAgent = await startAgent(edge);
  await agent.linked();

  const happened: Record<Fault, number> = { network: 0, edge: 0, agent: 0, disk: 0, bus: 0 };
  const spooled = new Set<number>();
  const inflict: Record<Fault, () => Promise<void>> = {
    network: async () => {
      network.cut();
      await pause(rng.between(50, 2_000));
      network.mend();
    },
    edge: async () => {
      await edge.process.killGroup();
      await pause(rng.between(0, 500));
      edge = await startEdge();
    },
    agent: async () => {
      await agent.process.killGroup();
      for (const number of busNumbersIn(disk.directory)) spooled.add(number);
      await pause(rng.between(0, 500));
      agent = await startAgent(edge);
    },
    disk: async () => {
      disk.fill();
      await pause(rng.between(100, 1_500));
      disk.free();
    },
    bus: async () => {
      await proxy.killGroup();
      await pause(rng.between(0, 300));
      proxy = await startProxy();
    },
  };
  const possible = FAULTS.filter((fault) => fault !== "disk" || disk.canFill) as [Fault, ...Fault[]];
  const flowing = runFlows({
    amounts,
    intentsDir,
    seed,
    tasksDir: join(home, "drop", "tasks", "soak"),
    xsub: bus.xsub,
    client: () => edge.client(),
    lastsMs: faults * 1_600,
  });
  for (let round = 0; round < faults; round++) {
    await pause(rng.between(20, 800));
    // Each kind once before any comes again, so that a short soak has all of them.
    const fault = round < possible.length ? (possible[round] ?? "edge") : rng.pick(possible);
    say(`${round + 1} of ${faults}: ${fault}`);
    await inflict[fault]();
    happened[fault]++;
  }
  await within(flowing, "everything to be sent", 600_000);
  say("everything is sent; waiting for it to come to rest");
  const seen: Record<string, number> = {};
  const follow = edge.client().follow({ after: 0, signals: [...Object.keys(WANTED), "Q_REACTION_FAILED"] });
  const isLast = (signal: Signal) => {
    const name = endOf(signal);
    seen[name] = (seen[name] ?? 0) + 1;
    return Object.entries(WANTED).every(([name, what]) => (seen[name] ?? 0) >= amounts[what]);
  };
  await first(follow, isLast, "everything to be done", 300_000).catch((error: Error) => {
    const said = agent.process.lines.slice(-40).join("\n");
    throw new Error(`${error.message}; so far ${JSON.stringify(seen)} of ${JSON.stringify(amounts)}\n${said}`);
  });
  await agent.process.stop();
  for (const number of busNumbersIn(disk.directory)) spooled.add(number);
  agent = await startAgent(edge);
  await agent.linked();
  await agent.process.stop();
  const log = await readLog(edge);
  const { queues } = edge.client();
  const tasks = await Promise.all(
    Array.from({ length: amounts.tasks }, async (_, place) => {
      const { task_id, status, history } = await queues.task(QUEUE, `task-${place + 1}`);
      const endings = history.filter(({ event }) => ["complete", "failed", "cancelled", "expired"].includes(event));
      return [task_id, status, endings.length] as const;
    }),
  );
  await edge.process.stop();
  await proxy.killGroup();
  const runs = (what: string) => readFileSync(join(ran, what), "utf8").length / 2;
  return {
    log,
    happened,
    tasks,
    spooled,
    runs: { reactions: runs("reactions"), tasks: runs("tasks"), dropped: runs("dropped") },
  };
}

/** By which signals the log tells the ends of what was begun. */
const WANTED = {
  Q_CURIOSITY_INVESTIGATE: "intents",
  Q_SOAK_ANSWERED: "asked",
  Q_SOAK_TASK_DONE: "tasks",
  Q_WORKER_TASK_COMPLETE: "dropped",
} as const satisfies Record<string, keyof Amounts>;

/** A reaction that ran at too many kills is given up: it has ended, too. */
function endOf({ signal, facts }: Signal): string {
  return signal === "Q_REACTION_FAILED" && facts.reaction === "answer" ? "Q_SOAK_ANSWERED" : signal;
}
