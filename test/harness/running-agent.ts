import { temporaryDirectory } from "./cleanup.ts";
import type { RunningEdge } from "./running-edge.ts";
import { RunningProcess } from "./running-process.ts";

/** What the agent tells over its channel, see local-agent/main.ts. */
export interface AgentReport {
  readonly type: "ready" | "status";
  readonly host: string;
  readonly link: { readonly state: string; readonly detail: string };
  readonly sources: readonly { readonly name: string; readonly state: string; readonly detail: string }[];
}

export interface RunningAgent {
  readonly host: string;
  readonly stateDir: string;
  readonly intentsDir: string;
  readonly process: RunningProcess;
  /** Resolves when the agent has linked itself to the edge. */
  linked(): Promise<void>;
  /** Resolves when it takes commands by way of the edge. */
  commandable(): Promise<void>;
}

export interface AgentSettings {
  readonly host?: string;
  /** Give that of an earlier agent to go on from its spool. */
  readonly stateDir?: string;
  /** Names of sources; default: intents alone, since the bus has fixed ports and the sampler never stops talking. */
  readonly sources?: readonly string[];
  readonly env?: Readonly<Record<string, string | undefined>>;
}

/** A real agent as a process of its own, linked to `edge`, with its own state. Resolves when its sources are up. */
export async function runAgent(
  edge: Pick<RunningEdge, "url" | "token">,
  { host = "host-a", stateDir = temporaryDirectory(), sources = ["intents"], env = {} }: AgentSettings = {},
): Promise<RunningAgent> {
  const running = new RunningProcess(["local-agent/main.ts"], {
    env: {
      GANGLION_URL: edge.url,
      GANGLION_TOKEN: edge.token,
      GANGLION_HOST_ID: host,
      GANGLION_STATE_DIR: stateDir,
      GANGLION_SOURCES: sources.join(",") || "none",
      ...env,
    },
  });
  await running.message<AgentReport>(({ type }) => type === "ready", "the agent's sources to be up");
  return {
    host,
    stateDir,
    intentsDir: env.GANGLION_INTENTS_DIR ?? `${stateDir}/intents`,
    process: running,
    linked: async () => {
      await running.message<AgentReport>(({ link }) => link?.state === "connected", "the agent's link");
    },
    commandable: async () => {
      const taking = ({ name, state }: AgentReport["sources"][number]) => name === "commands" && state === "live";
      await running.message<AgentReport>(({ sources }) => sources?.some(taking) === true, "the agent to take commands");
    },
  };
}
