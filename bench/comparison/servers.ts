import { type ChildProcess, execFile, spawn } from "node:child_process";
import { chownSync, existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { freePort } from "../free-port.ts";

const run = promisify(execFile);

/** A server of somebody else, on a directory that is thrown away. */
export interface Server {
  readonly port: number;
  readonly stop: () => Promise<void>;
}

/** As the edge: nothing is answered that is not on the disk. */
export const APPENDFSYNC = "always";

const installed = (...paths: readonly string[]) => paths.find((path) => existsSync(path));
const REDIS = installed("/usr/bin/redis-server", "/usr/local/bin/redis-server");
const NATS = installed("/usr/sbin/nats-server", "/usr/bin/nats-server", "/usr/local/bin/nats-server");
const POSTGRES = installed("/usr/lib/postgresql/17/bin", "/usr/lib/postgresql/16/bin", "/usr/lib/postgresql/15/bin");

/** @returns `undefined` where it is not installed */
export async function startRedis(): Promise<Server | undefined> {
  if (REDIS === undefined) return undefined;
  const settings = ["--appendonly", "yes", "--appendfsync", APPENDFSYNC, "--save", ""];
  return start(REDIS, /Ready to accept connections/, (port, directory) => [
    ...["--port", String(port), "--bind", "127.0.0.1", "--dir", directory],
    ...settings,
  ]);
}

/** NATS with JetStream, which syncs each write. @returns `undefined` where it is not installed */
export async function startNats(): Promise<Server | undefined> {
  if (NATS === undefined) return undefined;
  return start(NATS, /Server is ready/, (port, directory) => {
    const settings = join(directory, "nats.conf");
    writeFileSync(
      settings,
      `listen: "127.0.0.1:${port}"\njetstream { store_dir: "${directory}", sync_interval: always }\n`,
    );
    return ["-c", settings];
  });
}

/** PostgreSQL as its `initdb` sets it. @returns `undefined` where it is not installed */
export async function startPostgres(): Promise<Server | undefined> {
  if (POSTGRES === undefined) return undefined;
  // It refuses to run as root.
  const root = process.getuid?.() === 0;
  const as = root ? ["runuser", "-u", "nobody", "--"] : [];
  const [first = "", ...rest] = [...as, join(POSTGRES, "postgres")];
  return start(
    first,
    /ready to accept connections/,
    (port, directory) => [
      ...rest,
      "-D",
      join(directory, "data"),
      "-p",
      String(port),
      "-k",
      directory,
      "-h",
      "127.0.0.1",
    ],
    async (directory) => {
      if (root) chownSync(directory, 65_534, 65_534);
      const [command = "", ...before] = [...as, join(POSTGRES, "initdb")];
      await run(command, [...before, "-D", join(directory, "data"), "-A", "trust", "-U", "bench"], { cwd: directory });
    },
  );
}

async function start(
  command: string,
  ready: RegExp,
  settings: (port: number, directory: string) => readonly string[],
  prepare: (directory: string) => Promise<void> = async () => {},
): Promise<Server> {
  const directory = mkdtempSync(join(tmpdir(), "ganglion-peer-"));
  const port = await freePort();
  await prepare(directory);
  const child = spawn(command, settings(port, directory), { cwd: directory, stdio: ["ignore", "pipe", "pipe"] });
  const gone = new Promise<void>((resolve) => child.once("exit", () => resolve()));
  await readiness(child, command, ready);
  return {
    port,
    stop: async () => {
      child.kill("SIGTERM");
      await gone;
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

function readiness(child: ChildProcess, command: string, ready: RegExp): Promise<void> {
  let said = "";
  return new Promise<void>((resolve, reject) => {
    const hear = (text: Buffer) => {
      said = `${said}${text}`.slice(-4_000);
      if (ready.test(said)) resolve();
    };
    child.stdout?.on("data", hear);
    child.stderr?.on("data", hear);
    child.once("exit", (code) => reject(new Error(`${command} ended with ${code} before it was ready: ${said}`)));
    child.once("error", reject);
  });
}

/** None of the clients is a dependency of the project: binaries that they offer for other machines would break `npm ci`. */
export async function installClients(): Promise<void> {
  if (existsSync(join(import.meta.dirname, "node_modules/graphile-worker"))) return;
  const quiet = ["--no-audit", "--no-fund", "--no-package-lock", "--omit=optional", "--ignore-scripts"];
  await run("npm", ["install", ...quiet], { cwd: import.meta.dirname, timeout: 300_000 });
}
