import { spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, renameSync, rmSync, watch, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { EdgeUnderTest } from "./edge-under-test.ts";
import { percentile, type Report, rounded } from "./figure.ts";

const ROUNDS = 200;
const WARM_UP = 20;

/**
 * From the rename of an intent file to the start of the command that reacts to its signal: through the agent, the edge and
 * the agent again, one at a time. The command makes a file, and the time is taken when that is seen: what it takes to
 * start a program and to see a file is part of the figure, and reported beside it.
 */
export async function reaction(edge: EdgeUnderTest, report: Report): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), "ganglion-bench-reaction-"));
  const intents = join(directory, "intents");
  const started = join(directory, "started");
  mkdirSync(started);
  const settings = {
    bus: { enabled: false },
    sampler: { enabled: false },
    metrics: { enabled: false },
    monitors: { health: false },
    host: { id: "bench", state_dir: join(directory, "state") },
    intents: { directory: intents, map: [{ types: "bench", signal: "Q_BENCH_WANTED", facts: {} }] },
    reactions: {
      // A program that the kernel starts at once; the id of the signal's run names the file.
      start: {
        when: "Q_BENCH_WANTED",
        run: { command: `: > ${started}/$GANGLION_SIGNAL_ID` },
        emits: { completed: null },
      },
    },
  };
  const config = join(directory, "agent.yaml");
  writeFileSync(config, JSON.stringify(settings));
  const agent = spawn(process.execPath, [join(import.meta.dirname, "../local-agent/main.ts")], {
    env: {
      ...process.env,
      GANGLION_URL: edge.url,
      GANGLION_TOKEN: edge.token,
      GANGLION_CONFIG: config,
      GANGLION_LOG_LEVEL: "warn",
    },
    stdio: ["ignore", "inherit", "inherit", "ipc"],
  });
  const over = new Promise<void>((resolve) => agent.once("exit", () => resolve()));
  await new Promise<void>((resolve) =>
    agent.on("message", (message: { link?: { state: string } }) => message.link?.state === "connected" && resolve()),
  );
  const next = fileIn(started);
  const millis: number[] = [];
  for (let round = 0; round < ROUNDS + WARM_UP; round++) {
    const hidden = join(intents, `.${round}.tmp`);
    writeFileSync(hidden, JSON.stringify({ id: `bench-${round}`, type: "bench", data: {} }));
    const there = next();
    const from = performance.now();
    renameSync(hidden, join(intents, `${round}.json`));
    await there;
    if (round >= WARM_UP) millis.push(performance.now() - from);
  }
  const floor = await spawnFloor(started, next);
  report({
    bench: "reaction",
    figure: "drop_to_command",
    value: rounded(percentile(millis, 0.5)),
    unit: "ms",
    target: { at_most: 50 },
    p99_ms: rounded(percentile(millis, 0.99)),
    rounds: ROUNDS,
    compared_with: { shell_started_by_hand_ms: rounded(floor) },
  });
  agent.kill("SIGTERM");
  await over;
  rmSync(directory, { recursive: true, force: true });
}

/** @returns a function that resolves with the next file that appears */
function fileIn(directory: string): () => Promise<void> {
  let appeared = (): void => {};
  watch(directory, (event) => {
    if (event === "rename") appeared();
  }).unref();
  return () =>
    new Promise((resolve) => {
      appeared = resolve;
    });
}

/** The same command, started by nobody but us. */
async function spawnFloor(directory: string, next: () => Promise<void>): Promise<number> {
  const millis: number[] = [];
  for (let round = 0; round < 50; round++) {
    const there = next();
    const from = performance.now();
    const child = spawn("/bin/sh", ["-c", `: > ${directory}/by-hand-${round}`]);
    await there;
    millis.push(performance.now() - from);
    await new Promise((resolve) => child.once("exit", resolve));
  }
  return percentile(millis, 0.5);
}
