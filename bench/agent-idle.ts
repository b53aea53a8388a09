import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { EdgeUnderTest } from "./edge-under-test.ts";
import { type Report, rounded } from "./figure.ts";
import { cpuSeconds, residentMegabytes } from "./process-memory.ts";

const WARM_UP_SECONDS = 5;

/**
 * What an agent with all of its sources costs a host on which nothing happens but its own samples, from /proc.
 * `GANGLION_BENCH_SECONDS`: how long, default 60.
 */
export async function agentIdle(edge: EdgeUnderTest, report: Report): Promise<void> {
  const seconds = Number(process.env.GANGLION_BENCH_SECONDS) || 60;
  await withIdleAgent(edge, process.execPath, join(import.meta.dirname, "../local-agent/main.ts"), async (pid) => {
    await sleep(WARM_UP_SECONDS);
    const before = cpuSeconds(pid);
    const started = performance.now();
    await sleep(seconds);
    const used = cpuSeconds(pid) - before;
    report({
      bench: "agent-idle",
      figure: "cpu",
      value: rounded((used / ((performance.now() - started) / 1000)) * 100),
      unit: "% of one processor",
      target: { at_most: 1 },
      over_seconds: seconds,
    });
    report({
      bench: "agent-idle",
      figure: "resident_memory",
      value: rounded(residentMegabytes(pid)),
      unit: "MB",
      target: { at_most: 150 },
    });
  });
}

/** Starts an agent with all of its sources, and ends it when `measure` is done. @param measure - is given its process when it is linked */
export async function withIdleAgent(
  edge: EdgeUnderTest,
  node: string,
  main: string,
  measure: (pid: number) => Promise<void>,
): Promise<void> {
  const stateDir = mkdtempSync(join(tmpdir(), "ganglion-bench-agent-"));
  const agent = spawn(node, [main], {
    env: {
      PATH: process.env.PATH,
      GANGLION_URL: edge.url,
      GANGLION_TOKEN: edge.token,
      GANGLION_STATE_DIR: stateDir,
      GANGLION_HOST_ID: "idle",
      GANGLION_OBSERVABILITY_PORT: "0",
      KLR_CHEM_XSUB: `ipc://${stateDir}/in`,
      KLR_CHEM_XPUB: `ipc://${stateDir}/out`,
    },
    stdio: ["ignore", "ignore", "pipe"],
  });
  const gone = new Promise((resolve) => agent.once("exit", resolve));
  try {
    await new Promise<void>((resolve, reject) => {
      createInterface({ input: agent.stderr }).on("line", (line) => line.includes("link: connected") && resolve());
      agent.once("exit", (code) => reject(new Error(`the agent ended with ${code}`)));
    });
    await measure(agent.pid ?? 0);
  } finally {
    agent.kill("SIGTERM");
    await gone;
    rmSync(stateDir, { recursive: true, force: true });
  }
}

export function sleep(seconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, seconds * 1000));
}
