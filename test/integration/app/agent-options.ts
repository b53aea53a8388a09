import { join } from "node:path";
import type { AgentOptions } from "../../../local-agent/app/agent-options.ts";

/** Settings of an agent that keeps everything below `directory`. */
export function agentOptions(directory: string, url: string): Omit<AgentOptions, "logger" | "xsub" | "xpub"> {
  return {
    url,
    token: () => "secret",
    ecosystem: "default",
    hostId: "a",
    stateDir: join(directory, "state"),
    intentsDir: join(directory, "intents"),
    metricsDir: join(directory, "metrics"),
    subscribe: ["*", "!OBSERVATION"],
    sampleSeconds: 0.1,
    sources: ["sampler", "intents", "metrics", "bus"],
    log: "text",
    logLevel: "info",
    spoolMaxBytes: 1e9,
    link: { backOff: { initialMs: 1, maxMs: 50 } },
    gpuCommand: join(directory, "no-nvidia-smi"),
  };
}
