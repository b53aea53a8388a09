import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const ROOT = join(import.meta.dirname, "..", "..");

export interface Edge {
  readonly url: string;
  readonly token: string;
  readonly ecosystem: string;
}

const running = new Set<ChildProcess>();
const state = mkdtempSync(join(tmpdir(), "ganglion-bad-day-"));
/** While this file is there, the program that hangs does not. */
export const MENDED = join(state, "mended");

/** No host of the day stays behind, however the script ends. */
process.once("exit", () => {
  for (const child of running) child.kill("SIGKILL");
  rmSync(state, { recursive: true, force: true });
});

const hanging = {
  command: [process.execPath, join(import.meta.dirname, "hanging-agent.ts"), MENDED],
  // At work without progress. How long a start takes on a busy machine does not count.
  progress_seconds: 1,
  max_restarts: 0,
};
/** Ends with its supervisor, which the day kills, and with the day. */
const TRAINING = `const { existsSync } = require("node:fs"); const parent = process.ppid;
  setInterval(() => (process.ppid === parent && existsSync(process.argv[1])) || process.exit(), 200)`;
const training = { command: [process.execPath, "-e", TRAINING, state] };

/** Starts the agent of a host, with nothing but the programs that it supervises. */
export function startHost({ url, token, ecosystem }: Edge, host: string, agent: "coder" | "trainer"): ChildProcess {
  const config = join(state, `${host}.json`);
  const off = { enabled: false };
  const agents = agent === "coder" ? { coder: hanging } : { trainer: training };
  // JSON is YAML, too.
  writeFileSync(config, JSON.stringify({ bus: off, intents: off, metrics: off, sampler: off, agents }));
  const child = spawn(process.execPath, [join(ROOT, "local-agent/main.ts"), "--config", config], {
    cwd: ROOT,
    stdio: ["ignore", "ignore", "ignore"],
    env: {
      PATH: process.env.PATH,
      GANGLION_URL: url,
      GANGLION_TOKEN: token,
      GANGLION_ECOSYSTEM: ecosystem,
      GANGLION_HOST_ID: host,
      GANGLION_STATE_DIR: join(state, host),
    },
  });
  running.add(child);
  child.once("exit", () => running.delete(child));
  return child;
}

/** Lets the agents of all hosts end what they supervise, and then themselves. */
export async function stopHosts(): Promise<void> {
  await Promise.all(
    [...running].map((child) => {
      const ended = new Promise<void>((resolve) => child.once("exit", () => resolve()));
      child.kill("SIGTERM");
      return ended;
    }),
  );
}

/** Ends the agent of a host at once, as a loss of power would. */
export async function loseHost(child: ChildProcess): Promise<void> {
  const ended = new Promise<void>((resolve) => child.once("exit", () => resolve()));
  child.kill("SIGKILL");
  await ended;
}
