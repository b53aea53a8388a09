import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";

const ROOT = join(import.meta.dirname, "..", "..");
const AGENTS = join(import.meta.dirname, "agents");

export interface Edge {
  readonly url: string;
  readonly token: string;
  readonly ecosystem: string;
  /** Where its token is, of an edge that the demonstration has started. */
  readonly tokenFile?: string;
}

/** Each host, its agents, and the programs that these are. */
export const HOSTS: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  "host-a": { "scout-1": "scout.py", "scout-2": "scout.ts", "writer-1": "writer.py" },
  "host-b": { "scout-3": "scout.ts", "writer-2": "writer.ts", releaser: "releaser.py" },
};

/** The processes of the demonstration, and the directory of all that they write: nothing of it stays behind. */
export class Fleet {
  readonly directory = mkdtempSync(join(tmpdir(), "ganglion-coordination-"));
  readonly #running = new Set<ChildProcess>();
  readonly #hosts: ChildProcess[] = [];
  readonly #onEnd: (what: string) => void;
  #edge: ChildProcess | undefined;
  #stopping = false;

  /** @param onEnd - called when a process ends that nobody stopped */
  constructor(onEnd: (what: string) => void) {
    this.#onEnd = onEnd;
    // However the script ends.
    process.once("exit", () => {
      for (const child of this.#running) child.kill("SIGKILL");
      rmSync(this.directory, { recursive: true, force: true });
    });
  }

  /** The edge that the environment names, or one of its own. */
  async edge(ecosystem: string): Promise<Edge> {
    const { GANGLION_URL: url, GANGLION_TOKEN: token } = process.env;
    if (url !== undefined && token !== undefined) return { url, token, ecosystem };
    const state = join(this.directory, "edge");
    const child = this.#start("the edge", "local-edge/main.ts", [], { GANGLION_PORT: "0", GANGLION_STATE_DIR: state });
    this.#edge = child;
    const own = await new Promise<string>((resolve) => {
      if (child.stdout !== null)
        createInterface({ input: child.stdout }).on("line", (line) => {
          const [, ready] = /^ready (\S+)$/.exec(line) ?? [];
          if (ready !== undefined) resolve(ready);
        });
    });
    const tokenFile = join(state, "token");
    return { url: own, token: readFileSync(tokenFile, "utf8").trim(), ecosystem, tokenFile };
  }

  /** Starts the agent of a host, which supervises the agents of the demonstration that run there. */
  startHost(host: string, { url, token, ecosystem }: Edge, environment: Readonly<Record<string, string>>): void {
    const programs = Object.entries(HOSTS[host] ?? {}).map(([name, file]) => [
      name,
      {
        command: [file.endsWith(".py") ? "python3" : "node", join(AGENTS, file)],
        token: "own",
        max_restarts: 5,
        stop_seconds: 10,
        environment,
      },
    ]);
    const off = { enabled: false };
    const config = join(this.directory, `${host}.json`);
    const settings = { bus: off, intents: off, metrics: off, sampler: off, agents: Object.fromEntries(programs) };
    // JSON is YAML, too.
    writeFileSync(config, JSON.stringify(settings));
    const child = this.#start(host, "local-agent/main.ts", ["--config", config], {
      GANGLION_URL: url,
      GANGLION_TOKEN: token,
      GANGLION_ECOSYSTEM: ecosystem,
      GANGLION_HOST_ID: host,
      GANGLION_STATE_DIR: join(this.directory, host),
    });
    this.#hosts.push(child);
  }

  /** Runs a command of `ganglion`. @returns what it printed */
  async command({ url, token, ecosystem }: Edge, args: readonly string[]): Promise<string> {
    const child = spawn(process.execPath, [join(ROOT, "cli/ganglion.mjs"), ...args], {
      stdio: ["ignore", "pipe", "inherit"],
      env: { PATH: process.env.PATH, GANGLION_URL: url, GANGLION_TOKEN: token, GANGLION_ECOSYSTEM: ecosystem },
    });
    let printed = "";
    child.stdout.on("data", (chunk: Buffer) => {
      printed += chunk.toString();
    });
    const code = await new Promise<number | null>((resolve) => child.once("close", resolve));
    if (code !== 0) throw new Error(`ganglion ${args.join(" ")} ended with ${code}`);
    return printed;
  }

  /** Lets the hosts end what they supervise and themselves: what they hold of limits comes back. */
  async stopHosts(): Promise<void> {
    this.#stopping = true;
    await Promise.all(this.#hosts.map(ended));
  }

  /** Ends the hosts, and then the edge. */
  async stop(): Promise<void> {
    await this.stopHosts();
    if (this.#edge !== undefined) await ended(this.#edge);
  }

  #start(what: string, script: string, args: readonly string[], env: Readonly<Record<string, string>>): ChildProcess {
    const child = spawn(process.execPath, [join(ROOT, script), ...args], {
      cwd: ROOT,
      stdio: ["ignore", "pipe", process.env.COORDINATION_LOGS === undefined ? "ignore" : "inherit"],
      env: { PATH: process.env.PATH, HOME: process.env.HOME, ...env },
    });
    child.stdout.resume();
    this.#running.add(child);
    child.once("exit", (code, signal) => {
      this.#running.delete(child);
      if (!this.#stopping) this.#onEnd(`${what} ended by itself (${code ?? signal})`);
    });
    return child;
  }
}

/** Asks a process to end, and waits until it has. */
async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const end = new Promise<void>((resolve) => child.once("exit", () => resolve()));
  child.kill("SIGTERM");
  await end;
}
