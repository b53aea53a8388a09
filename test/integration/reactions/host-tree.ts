import { cpSync } from "node:fs";
import { join } from "node:path";
import { PROJECT_ROOT } from "../../../local-edge/paths.ts";
import type { Signal } from "../../../src/core/signals/signal.ts";
import { temporaryDirectory } from "../../harness/cleanup.ts";
import { type RunningAgent, runAgent } from "../../harness/running-agent.ts";
import type { RunningEdge } from "../../harness/running-edge.ts";

export interface HostTree {
  readonly directory: string;
  at(...path: string[]): string;
  /** Starts an agent on the tree, after an earlier one with its state. */
  runAgent(env?: Record<string, string>): Promise<RunningAgent>;
}

/** A copy of examples/host-tree to work on. */
export function hostTree(edge: RunningEdge): HostTree {
  const directory = temporaryDirectory();
  cpSync(join(PROJECT_ROOT, "examples/host-tree"), directory, { recursive: true });
  const stateDir = temporaryDirectory();
  return {
    directory,
    at: (...path) => join(directory, ...path),
    runAgent: async (env = {}) => {
      const agent = await runAgent(edge, {
        stateDir,
        env: { GANGLION_CONFIG: join(directory, "ganglion-agent.yaml"), ...env },
      });
      await agent.linked();
      return agent;
    },
  };
}

/** All signals of the log so far, by name. */
export async function told(edge: RunningEdge): Promise<Map<string, Signal[]>> {
  const { signals } = await edge.client().signals({ signals: ["*", "!OBSERVATION"], limit: 1_000 });
  return Map.groupBy(signals, ({ signal }) => signal);
}
