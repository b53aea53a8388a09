import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { createClient } from "../src/client/client.ts";
import type { Held } from "../src/client/limits/held.ts";
import type { ReachedEdge } from "./edge-under-test.ts";
import { percentile, type Report, rounded } from "./figure.ts";

const ROUNDS = 1_000;
const WARM_UP = 100;
/** Calls at a time, where many are made. */
const AT_A_TIME = 50;
const LIMIT = "provider";

/**
 * What a call costs its program that reserves a part of a limit before it and settles it afterwards: over HTTP, and out of the share
 * that the agent of the host holds. The call itself does nothing.
 */
export async function limits(edge: ReachedEdge, report: Report): Promise<void> {
  const http = createClient({ ...edge, localAgent: false }).limits;
  await http.put(LIMIT, { concurrency: 1_000 });
  await measure("http", (call) => http.with(LIMIT, {}, call), report, 10);
  await withAgent(edge, async (stateDir) => {
    // The client looks for the socket of the agent when it is asked for the first time.
    process.env.GANGLION_STATE_DIR = stateDir;
    const { limits: shared } = createClient({ ...edge });
    await measure("agent", (call) => shared.with(LIMIT, {}, call), report, 2);
    const { shares } = await http.show(LIMIT);
    if (shares.length === 0) throw new Error("the agent held no share: what was measured is HTTP");
  });
}

type With = (call: (held: Held) => Promise<void>) => Promise<unknown>;

async function measure(way: string, reserved: With, report: Report, atMost: number): Promise<void> {
  const millis: number[] = [];
  for (let round = 0; round < ROUNDS + WARM_UP; round++) {
    const started = performance.now();
    await reserved(async () => undefined);
    if (round >= WARM_UP) millis.push(performance.now() - started);
  }
  report({
    bench: "limits",
    figure: `reserve_and_settle_${way}`,
    value: rounded(percentile(millis, 0.5)),
    unit: "ms",
    target: { at_most: atMost },
    p99_ms: rounded(percentile(millis, 0.99)),
  });
  let left = ROUNDS;
  const started = performance.now();
  await Promise.all(
    Array.from({ length: AT_A_TIME }, async () => {
      while (left-- > 0) await reserved(async () => undefined);
    }),
  );
  report({
    bench: "limits",
    figure: `calls_per_second_${way}`,
    value: rounded((ROUNDS * 1_000) / (performance.now() - started)),
    unit: "1/s",
    calls_at_a_time: AT_A_TIME,
  });
}

async function withAgent(edge: ReachedEdge, work: (stateDir: string) => Promise<void>): Promise<void> {
  const stateDir = mkdtempSync(join(tmpdir(), "ganglion-bench-limits-"));
  const agent = spawn(process.execPath, [join(import.meta.dirname, "../local-agent/main.ts")], {
    env: {
      PATH: process.env.PATH,
      GANGLION_URL: edge.url,
      GANGLION_TOKEN: edge.token,
      GANGLION_STATE_DIR: stateDir,
      GANGLION_HOST_ID: "bench",
      GANGLION_SOURCES: "none",
      GANGLION_OBSERVABILITY_PORT: "0",
    },
    stdio: ["ignore", "ignore", "pipe"],
  });
  const gone = once(agent, "exit");
  try {
    await new Promise<void>((resolve, reject) => {
      createInterface({ input: agent.stderr }).on("line", (line) => line.includes("link: connected") && resolve());
      agent.once("exit", (code) => reject(new Error(`the agent ended with ${code}`)));
    });
    await work(stateDir);
  } finally {
    agent.kill("SIGTERM");
    await gone;
    rmSync(stateDir, { recursive: true, force: true });
  }
}
