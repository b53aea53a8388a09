import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { installClients, type Server, startNats, startPostgres, startRedis } from "../comparison/servers.ts";
import type { Contestant, Results, Sizes } from "./works.ts";

const run = promisify(execFile);
const SCRIPTS = join(import.meta.dirname, "../comparison");
const LONGEST_MS = 300_000;

interface Peer {
  readonly name: string;
  readonly script: string;
  readonly server: () => Promise<Server | undefined>;
  /** What the script is told where its server is. Default: its port. */
  readonly address?: (port: number) => string;
}

const PEERS: readonly Peer[] = [
  { name: "redis_streams", script: "redis-streams.mjs", server: startRedis },
  { name: "jetstream", script: "jetstream.mjs", server: startNats },
  { name: "bullmq", script: "bullmq-works.mjs", server: startRedis },
  {
    name: "graphile_worker",
    script: "graphile.mjs",
    server: startPostgres,
    address: (port) => `postgres://bench@127.0.0.1:${port}/postgres`,
  },
];

/** Those of the others whose servers are installed on this machine. Says which are not. */
export async function startPeers(): Promise<Contestant[]> {
  try {
    await installClients();
  } catch (error) {
    console.error(`  nobody is compared with: their clients could not be installed (${firstLine(error)})`);
    return [];
  }
  const started: Contestant[] = [];
  for (const peer of PEERS) {
    const server = await peer.server().catch((error: unknown) => {
      console.error(`  ${peer.name}: its server does not start (${firstLine(error)})`);
      return undefined;
    });
    if (server === undefined) console.error(`  ${peer.name} is not compared with: its server is not installed`);
    else started.push({ name: peer.name, run: (sizes) => works(peer, server, sizes), stop: server.stop });
  }
  return started;
}

async function works({ script, address = String }: Peer, { port }: Server, sizes: Sizes): Promise<Results> {
  const { stdout } = await run(process.execPath, [join(SCRIPTS, script), address(port), JSON.stringify(sizes)], {
    timeout: LONGEST_MS,
  });
  return JSON.parse(stdout.trim().split("\n").at(-1) ?? "{}") as Results;
}

const firstLine = (error: unknown): string => String(error).split("\n", 1)[0] ?? "";
