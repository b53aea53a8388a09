import { randomUUID } from "node:crypto";
import { hostname } from "node:os";
import { join } from "node:path";
import { compilePatterns } from "../../src/core/signals/pattern.ts";
import { unionOfPatterns } from "../../src/core/signals/pattern-union.ts";
import { HostCommands } from "../commands/host-commands.ts";
import type { Feature, FeatureContext } from "../feature/feature.ts";
import { Link } from "../link/link.ts";
import { registerLinkMetrics } from "../link/metrics.ts";
import { DeadLetterFile } from "../store/dead-letter-file.ts";
import { DeadLetterOutbox } from "../store/dead-letter-outbox.ts";
import { Inbox, type Received } from "../store/inbox.ts";
import { installationOf } from "../store/installation.ts";
import { Spool } from "../store/spool.ts";
import type { StateDatabase } from "../store/state-database.ts";
import { WriteCheck } from "../store/write-check.ts";
import type { AgentOptions } from "./agent-options.ts";
import { FeatureInstance } from "./feature-instance.ts";
import { Health } from "./health.ts";
import { MetricRegistries } from "./metric-registries.ts";
import { FeatureRegistrar, type Registries } from "./registrar.ts";

/** The agent's own parts, and the features that stand on them. */
export interface Assembly {
  readonly link: Link;
  readonly spool: Spool;
  readonly inbox: Inbox;
  readonly health: Health;
  readonly deadLetterFiles: ReadonlyMap<string, DeadLetterFile>;
  /** @returns `undefined` when the settings switch the feature off */
  readonly assembleFeature: (feature: Feature<AgentOptions>, options: AgentOptions) => FeatureInstance | undefined;
}

const LINK_DEAD_LETTERS_BYTES = 64 * 1024 * 1024;

/** The patterns to subscribe to at the edge for the sinks of all features under any of these settings. */
export function subscription(features: readonly Feature<AgentOptions>[], ...all: readonly AgentOptions[]): string[] {
  return unionOfPatterns(all.flatMap((options) => sinksOf(features, options).map(({ patterns }) => patterns)));
}

function sinksOf(features: readonly Feature<AgentOptions>[], options: AgentOptions) {
  return features.flatMap((feature) => feature.sinks?.(options) ?? []);
}

/**
 * The sinks of the inbox, and which arriving signals any of them would read. The edge also sends back what this host's
 * bus published. Signals that only the bus would read are not stored: on a busy bus, that would double the writes.
 */
export function inboxSinks(
  features: readonly Feature<AgentOptions>[],
  options: AgentOptions,
  spool: Spool,
): { readonly names: string[]; readonly wanted: (signal: Received) => boolean } {
  const sinks = sinksOf(features, options);
  const others = sinks.filter(({ notFromOwnBus }) => notFromOwnBus !== true).map(({ patterns }) => patterns);
  const wantedFromOwnBus = others.length === 0 ? () => false : compilePatterns(unionOfPatterns(others));
  return {
    names: sinks.map(({ name }) => name),
    wanted: ({ id, signal }) => !spool.owns(id, "bus") || wantedFromOwnBus(signal),
  };
}

/** Builds the agent's own parts. Nothing is started here, and no feature is assembled yet. */
export function assemble(
  features: readonly Feature<AgentOptions>[],
  options: AgentOptions,
  db: StateDatabase,
  status: FeatureContext<AgentOptions>["status"],
): Assembly {
  const { hostId, stateDir, logger: log, now = Date.now, url, token, ecosystem } = options;
  const registries: Registries = {
    metrics: new MetricRegistries((error) => log.error({ err: error }, "metrics of a feature could not be read")),
    commands: new HostCommands(),
    health: new Health(),
    provided: {},
  };
  const register = new FeatureRegistrar(registries);
  const deadLetterFiles = new Map<string, DeadLetterFile>();
  const deadLetterFile = (name: string, maxBytes: number) => {
    const path = join(stateDir, "dead-letter", `${name}.jsonl`);
    const file = deadLetterFiles.get(name) ?? new DeadLetterFile({ path, maxBytes, log });
    deadLetterFiles.set(name, file);
    return file;
  };
  const spool = new Spool(db, { hostId, maxBytes: options.spoolMaxBytes, now, log });
  const sinks = inboxSinks(features, options, spool);
  const inbox = new Inbox(db, sinks.names, sinks.wanted);
  const deadLetters = new DeadLetterOutbox(db, { hostId, log });
  const link = new Link({
    url,
    token,
    ecosystem,
    hostId,
    identity: {
      installation: installationOf(db),
      instance: randomUUID(),
      place: `${hostname()}:${stateDir}`,
      takeOver: options.takeOver === true,
    },
    spool,
    inbox,
    deadLetters,
    log,
    gatherFacts: () => registries.provided.gatherFacts,
    subscribe: subscription(features, options),
    deadLetterFile: deadLetterFile("link", LINK_DEAD_LETTERS_BYTES),
    ...options.link,
  });
  const writeCheck = new WriteCheck(db);
  register.healthCheck(() => writeCheck.check());
  registerLinkMetrics(register, link);
  const { metrics: allMetrics, commands, health, provided } = registries;
  const shared: Omit<FeatureContext<AgentOptions>, "options" | "register"> = {
    db,
    spool,
    inbox,
    link,
    deadLetters,
    deadLetterFile,
    log,
    now,
    provided,
    status,
    commands,
    health,
    allMetrics,
  };
  return {
    link,
    spool,
    inbox,
    health,
    deadLetterFiles,
    assembleFeature: (feature, by) => FeatureInstance.assemble(feature, { ...shared, options: by }, registries),
  };
}
