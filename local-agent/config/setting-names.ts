import type { AgentSettings } from "./settings.ts";

/** Options of features that no file sets. */
type InternalOptions = "intents" | "supervisor";

/** What each setting is called in the file of settings. */
const NAMES: Readonly<Record<Exclude<keyof AgentSettings, InternalOptions>, string>> = {
  configFile: "--config (GANGLION_CONFIG)",
  url: "edge.url",
  token: "edge.token_file",
  ecosystem: "edge.ecosystem",
  subscribe: "edge.subscribe",
  hostId: "host.id",
  stateDir: "host.state_dir",
  spoolMaxBytes: "spool.max_mb",
  xsub: "bus.xsub",
  xpub: "bus.xpub",
  bus: "bus.connect, bus.messages, bus.heartbeats or bus.replay",
  intentsDir: "intents.directory",
  intentMap: "intents.map",
  intentMode: "intents.mode",
  metricsDir: "metrics.directory",
  metricFiles: "metrics.files",
  sampleSeconds: "sampler.seconds",
  gpuCommand: "sampler.gpu_command",
  log: "log.format",
  logLevel: "log.level",
  sources: "enabled of the sources",
  monitors: "monitors",
  maintenance: "maintenance",
  observability: "observability",
  workers: "workers",
  reactions: "reactions",
  agents: "agents",
  checks: "checks",
  sessions: "sessions",
  intelligence: "intelligence",
  limits: "limits",
  asking: "intelligence (GANGLION_INTELLIGENCE_…)",
};

/**
 * Names of changed settings as people write them.
 *
 * @param names - as the agent reports them
 */
export function writtenNames(
  names: readonly string[],
  before: Pick<AgentSettings, "sources">,
  after: Pick<AgentSettings, "sources">,
): string[] {
  return names.flatMap((name) => {
    const switched = name === "sources" ? switchedSources(before, after) : [];
    return switched.length > 0 ? switched : [isSetting(name) ? NAMES[name] : name];
  });
}

/** `bus.enabled`, … for the sources that were switched on or off. */
function switchedSources(
  { sources: before }: Pick<AgentSettings, "sources">,
  { sources: after }: Pick<AgentSettings, "sources">,
): string[] {
  const switched = [
    ...before.filter((source) => !after.includes(source)),
    ...after.filter((source) => !before.includes(source)),
  ];
  return switched.map((source) => `${source}.enabled`);
}

const isSetting = (name: string): name is keyof typeof NAMES => Object.hasOwn(NAMES, name);
