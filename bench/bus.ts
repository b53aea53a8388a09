import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { XPublisher } from "zeromq";
import type { EdgeUnderTest } from "./edge-under-test.ts";
import { type Report, rounded } from "./figure.ts";

/** `GANGLION_BENCH_SIGNALS`: how many, default 300,000. */
const SIGNALS = Number(process.env.GANGLION_BENCH_SIGNALS) || 300_000;
const WARM_UP = 20_000;
/** Published ahead of what the agent has taken: less than its sockets hold, so that nothing is dropped on the way. */
const AHEAD = 50_000;

/** Signals per second that an agent takes from the host's bus onto its disk, and the edge from the agent. */
export async function bus(edge: EdgeUnderTest, report: Report): Promise<void> {
  const stateDir = mkdtempSync(join(tmpdir(), "ganglion-bench-bus-"));
  const xsub = `ipc://${stateDir}/in`;
  const agent = spawn(process.execPath, [join(import.meta.dirname, "../local-agent/main.ts")], {
    env: {
      PATH: process.env.PATH,
      GANGLION_URL: edge.url,
      GANGLION_TOKEN: edge.token,
      GANGLION_STATE_DIR: stateDir,
      GANGLION_HOST_ID: "bench",
      GANGLION_SOURCES: "bus",
      GANGLION_OBSERVABILITY_PORT: "0",
      KLR_CHEM_XSUB: xsub,
      KLR_CHEM_XPUB: `ipc://${stateDir}/out`,
    },
    stdio: ["ignore", "ignore", "pipe"],
  });
  const gone = new Promise((resolve) => agent.once("exit", resolve));
  try {
    const metrics = await addressOf(agent);
    const publisher = new XPublisher({ sendHighWaterMark: 1_000_000, linger: 0 });
    publisher.connect(xsub);
    await publisher.receive();
    await publish(publisher, metrics, 0, WARM_UP); // the code is compiled as it warms
    const started = performance.now();
    await publish(publisher, metrics, WARM_UP, SIGNALS);
    const taken = (performance.now() - started) / 1000;
    await until(metrics, ({ waiting }) => waiting === 0);
    const handed = (performance.now() - started) / 1000;
    publisher.close();
    report({
      bench: "bus",
      figure: "taken_onto_disk",
      value: Math.round(SIGNALS / taken),
      unit: "signals/s",
      target: { at_least: 50_000 },
      signals: SIGNALS,
    });
    report({
      bench: "bus",
      figure: "handed_to_the_edge",
      value: Math.round(SIGNALS / handed),
      unit: "signals/s",
      target: { at_least: 50_000 },
      seconds: rounded(handed),
    });
  } finally {
    agent.kill("SIGTERM");
    await gone;
    rmSync(stateDir, { recursive: true, force: true });
  }
}

function addressOf(agent: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    if (agent.stderr === null) return reject(new Error("the agent's words cannot be read"));
    createInterface({ input: agent.stderr }).on("line", (line) => {
      const address = /observability: live, (\S+)/.exec(line)?.[1];
      if (address !== undefined) resolve(address);
    });
    agent.once("exit", (code) => reject(new Error(`the agent ended with ${code}`)));
  });
}

async function publish(publisher: XPublisher, metrics: string, from: number, count: number): Promise<void> {
  for (let n = 0; n < count; n++) {
    const facts = { task: n, state: "done", seconds: 0.25 };
    await publisher.send(["Q_BENCH_TICK", JSON.stringify({ signal: "Q_BENCH_TICK", source: "bench", facts })]);
    if (n > 0 && n % AHEAD === 0) await until(metrics, ({ taken }) => taken >= from + n - AHEAD / 2);
  }
  await until(metrics, ({ taken }) => taken >= from + count);
}

/** Asks the agent itself: its count is of what is on its disk. */
async function until(metrics: string, reached: (now: { taken: number; waiting: number }) => boolean): Promise<void> {
  for (;;) {
    const text = await (await fetch(metrics)).text();
    const figure = (name: string) =>
      Number(
        text
          .split("\n")
          .find((line) => line.startsWith(name))
          ?.split(" ")[1],
      );
    const taken = figure('ganglion_agent_signals_taken_total{lane="bus"}');
    const waiting = figure('ganglion_agent_spool_signals{lane="bus"}');
    if (reached({ taken, waiting })) return;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
