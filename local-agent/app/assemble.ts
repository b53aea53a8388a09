import { randomUUID } from "node:crypto";
import { hostname } from "node:os";
import { join } from "node:path";
import { HostCommands } from "../commands/host-commands.ts";
import type { Feature, FeatureContext } from "../feature/feature.ts";
import { Link } from "../link/link.ts";
import { registerLinkMetrics } from "../link/metrics.ts";
import { DeadLetterFile } from "../store/dead-letter-file.ts";
import { DeadLetterOutbox } from "../store/dead-letter-outbox.ts";
import { Inbox } from "../store/inbox.ts";
import { installationOf } from "../store/installation.ts";
import { Spool } from "../store/spool.ts";
import type { StateDatabase } from "../store/state-database.ts";
import { WriteCheck } from "../store/write-check.ts";
import type { AgentOptions } from "./agent-options.ts";
import { FeatureInstance } from "./feature-instance.ts";
import { Health } from "./health.ts";
import { MetricRegistries } from "./metric-registries.ts";
import { FeatureRegistrar, type Registries } from "./registrar.ts";
import { Subscriptions } from "./subscriptions.ts";

/** The agent's own parts, and the features that stand on them. */
export interface Assembly {
  readonly link: Link;
  readonly spool: Spool;
  readonly inbox: Inbox;
  readonly subscriptions: Subscriptions;
  readonly health: Health;
  readonly deadLetterFiles: ReadonlyMap<string, DeadLetterFile>;
  /** @returns `undefined` when the settings switch the feature off */
  readonly assembleFeature: (feature: Feature<AgentOptions>, options: AgentOptions) => FeatureInstance | undefined;
}

const LINK_DEAD_LETTERS_BYTES = 64 * 1024 * 1024;

/** Builds the agent's own parts. Nothing is started here, and no feature is assembled yet. */
export function assemble(
  features: readonly Feature<AgentOptions>[],
  options: AgentOptions,
  db: StateDatabase,
  status: FeatureContext<AgentOptions>["status"],
  subscriptionsChanged: () => void,
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
  const subscriptions = new Subscriptions(features, spool, options);
  const { names, wanted } = subscriptions.inbox;
  const inbox = new Inbox(db, names, wanted);
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
    subscribe: subscriptions.patterns,
    deadLetterFile: deadLetterFile("link", LINK_DEAD_LETTERS_BYTES),
    ...options.link,
  });
  subscriptions.onChange(() => {
    link.setSubscribe(subscriptions.patterns);
    subscriptionsChanged();
  });
  register.command("subscription.status", () => ({ subscriptions: subscriptions.report }));
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
    askFor: (sink, patterns, because) => subscriptions.askFor(sink, patterns, because),
  };
  return {
    link,
    spool,
    inbox,
    subscriptions,
    health,
    deadLetterFiles,
    assembleFeature: (feature, by) => FeatureInstance.assemble(feature, { ...shared, options: by }, registries),
  };
}
