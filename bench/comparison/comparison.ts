import { execFile, spawn } from "node:child_process";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { type AddressInfo, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { type Report, rounded } from "../figure.ts";
import { singleHeap } from "./single-heap.ts";

const run = promisify(execFile);
const REDIS = ["/usr/bin/redis-server", "/usr/local/bin/redis-server"].find((path) => existsSync(path));
/** As the edge: nothing is answered that is not on the disk. */
const APPENDFSYNC = "always";

interface Found {
  readonly pickup: { readonly median: number; readonly p99: number };
  readonly one: { readonly median: number; readonly p99: number };
  readonly many: { readonly perSecond: number; readonly p99: number };
  readonly through: { readonly perSecond: number };
}

/** What others do on this machine, in the same run: BullMQ on a Redis that writes as durably, and the old single heap. */
export async function comparison(report: Report): Promise<void> {
  singleHeap(report);
  if (REDIS === undefined) return skip("redis-server is not installed");
  try {
    await install();
  } catch (error) {
    return skip(`BullMQ could not be installed: ${String(error).split("\n", 1)[0]}`);
  }
  const { port, stop } = await startRedis(REDIS);
  try {
    const script = join(import.meta.dirname, "bullmq.mjs");
    const { stdout } = await run(process.execPath, [script, String(port)], { timeout: 180_000 });
    const { pickup, one, many, through } = JSON.parse(stdout) as Found;
    const say = (figure: string, value: number, unit: string, more: object = {}) =>
      report({
        bench: "queue",
        figure: `bullmq_${figure}`,
        value: rounded(value),
        unit,
        appendfsync: APPENDFSYNC,
        ...more,
      });
    say("pickup", pickup.median, "ms", { p99_ms: rounded(pickup.p99) });
    say("call_round_trip", one.median, "ms", { p99_ms: rounded(one.p99) });
    say("calls_32_at_once", many.perSecond, "calls/s", { p99_ms: rounded(many.p99) });
    say("tasks_through_4_workers", through.perSecond, "tasks/s");
  } finally {
    await stop();
  }
}

const skip = (reason: string): void => console.error(`BullMQ is not compared with: ${reason}`);

/** BullMQ is no dependency of the project: binaries that it offers for other machines would break `npm ci`. */
async function install(): Promise<void> {
  if (existsSync(join(import.meta.dirname, "node_modules/bullmq"))) return;
  const quiet = ["--no-audit", "--no-fund", "--no-package-lock", "--omit=optional", "--ignore-scripts"];
  await run("npm", ["install", ...quiet], { cwd: import.meta.dirname, timeout: 120_000 });
}

async function startRedis(command: string): Promise<{ port: number; stop: () => Promise<void> }> {
  const directory = mkdtempSync(join(tmpdir(), "ganglion-redis-"));
  const port = await freePort();
  const settings = ["--appendonly", "yes", "--appendfsync", APPENDFSYNC, "--save", ""];
  const child = spawn(command, ["--port", String(port), "--bind", "127.0.0.1", "--dir", directory, ...settings], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const gone = new Promise<void>((resolve) => child.once("exit", () => resolve()));
  await new Promise<void>((resolve, reject) => {
    child.stdout.on("data", (text: Buffer) => String(text).includes("Ready to accept connections") && resolve());
    child.once("exit", (code) => reject(new Error(`redis-server ended with ${code} before it was ready`)));
    child.once("error", reject);
  });
  return {
    port,
    stop: async () => {
      child.kill("SIGTERM");
      await gone;
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const { port } = server.address() as AddressInfo;
      server.close(() => resolve(port));
    });
  });
}
