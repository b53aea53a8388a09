import { readFileSync } from "node:fs";
import { type Client, createClient } from "../../src/client/client.ts";
import { openSocketSource } from "../../src/client/stream/socket-source.ts";
import { temporaryDirectory } from "./cleanup.ts";
import { RunningProcess } from "./running-process.ts";
import { keepConfigurations, lendConfigurations } from "./shared-configurations.ts";

export interface RunningEdge {
  readonly url: string;
  readonly token: string;
  readonly stateDir: string;
  readonly process: RunningProcess;
  /** @param ecosystem - default `default` */
  client(ecosystem?: string): Client;
}

export interface EdgeSettings {
  /** Give that of an earlier edge to go on from its state. */
  readonly stateDir?: string;
  /** Give that of an earlier edge where somebody is to find it again. */
  readonly port?: number;
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** Whether the edge makes its token and its configuration itself, as where it is installed. Default: others lend them. */
  readonly alone?: boolean;
}

/** A real edge as a process of its own, on a free port and with its own state. */
export async function runEdge({
  stateDir = temporaryDirectory(),
  port = 0,
  env = {},
  alone = false,
}: EdgeSettings = {}): Promise<RunningEdge> {
  const lent = !alone && lendConfigurations(stateDir);
  const running = new RunningProcess(["local-edge/main.ts"], {
    env: { ...env, GANGLION_PORT: String(port), GANGLION_STATE_DIR: stateDir },
  });
  const [, url = ""] = await running.line(/^ready (\S+)$/);
  if (lent) keepConfigurations(stateDir);
  const token = readFileSync(`${stateDir}/token`, "utf8").trim();
  return {
    url,
    token,
    stateDir,
    process: running,
    client: (ecosystem = "default") => createClient({ url, token, ecosystem, openSource: openSocketSource }),
  };
}
