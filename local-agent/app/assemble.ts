import { join } from "node:path";
import { type OpenMetricsContentType, Registry } from "prom-client";
import { compilePatterns } from "../../src/core/signals/pattern.ts";
import { unionOfPatterns } from "../../src/core/signals/pattern-union.ts";
import type { AgentOptions, Feature, FeatureContext } from "../base/feature.ts";
import { HostCommands } from "../commands/host-commands.ts";
import type { AgentSettings } from "../config/settings.ts";
import { Link } from "../link/link.ts";
import { DeadLetterFile } from "../store/dead-letter-file.ts";
import { DeadLetterOutbox } from "../store/dead-letter-outbox.ts";
import { Inbox, type Received } from "../store/inbox.ts";
import { Spool } from "../store/spool.ts";
import type { StateDatabase } from "../store/state-database.ts";
import { Health } from "../telemetry/health.ts";
import { FeatureInstance } from "./feature-instance.ts";

export interface Assembled {
  readonly link: Link;
  readonly spool: Spool;
  readonly inbox: Inbox;
  readonly health: Health;
  /** Those that are on, in the order of the list. */
  readonly rooms: readonly FeatureInstance[];
  readonly deadLetters: ReadonlyMap<string, DeadLetterFile>;
  /** Wires up one more room, by these settings. */
  readonly open: (room: Feature, options: AgentOptions) => FeatureInstance | undefined;
}

const LINK_DEAD_LETTERS_BYTES = 64 * 1024 * 1024;

/** What is asked of the edge for all sinks together, by any of these settings. Nothing where there are no sinks. */
export function subscription(rooms: readonly Feature[], ...all: readonly AgentSettings[]): string[] {
  return unionOfPatterns(all.flatMap((settings) => sinksOf(rooms, settings).map(({ patterns }) => patterns)));
}

function sinksOf(rooms: readonly Feature[], settings: AgentSettings) {
  return rooms.flatMap((room) => room.sinks?.(settings) ?? []);
}

/**
 * The readers of the inbox, and what of that which arrives any of them would take. What this host's bus has said comes
 * back from the edge with everything else. Where nobody but the bus would get it, it is not written down: on a busy bus
 * that would be as much work again.
 */
export function inboxSinks(
  rooms: readonly Feature[],
  settings: AgentSettings,
  spool: Spool,
): { readonly names: string[]; readonly wanted: (signal: Received) => boolean } {
  const sinks = sinksOf(rooms, settings);
  const others = sinks.filter(({ notFromOwnBus }) => notFromOwnBus !== true).map(({ patterns }) => patterns);
  const wantOwn = others.length === 0 ? () => false : compilePatterns(unionOfPatterns(others));
  return {
    names: sinks.map(({ name }) => name),
    wanted: ({ id, signal }) => !spool.owns(id, "bus") || wantOwn(signal),
  };
}

/** The agent's own parts, and then each room's, which only add themselves. Nothing is started here. */
export function assemble(
  rooms: readonly Feature[],
  options: AgentOptions,
  db: StateDatabase,
  status: FeatureContext["status"],
): Assembled {
  const { hostId, stateDir, logger: log, now = Date.now } = options;
  const deadLetters = new Map<string, DeadLetterFile>();
  const deadLetterFile: FeatureContext["deadLetterFile"] = (name, maxBytes) => {
    const path = join(stateDir, "dead-letter", `${name}.jsonl`);
    // Of a room that is made anew, too: two that wrote to one file would each keep to its limit.
    const file = deadLetters.get(name) ?? new DeadLetterFile({ path, maxBytes, log });
    deadLetters.set(name, file);
    return file;
  };
  const spool = new Spool(db, { hostId, maxBytes: options.spoolMaxBytes, now, log });
  const sinks = inboxSinks(rooms, options, spool);
  const inbox = new Inbox(db, sinks.names, sinks.wanted);
  const { url, token, ecosystem } = options;
  const letters = new DeadLetterOutbox(db, { hostId, log });
  const link = new Link({
    ...{ url, token, ecosystem, hostId, spool, inbox, letters, log, ...options.link },
    subscribe: subscription(rooms, options),
    deadLetters: deadLetterFile("link", LINK_DEAD_LETTERS_BYTES),
  });
  const metrics = new Registry<OpenMetricsContentType>();
  metrics.setContentType(Registry.OPENMETRICS_CONTENT_TYPE);
  const health = new Health(db);
  const commands = new HostCommands();
  const shared: Omit<FeatureContext, "options"> = {
    ...{ db, spool, inbox, link, letters, log, now, metrics, health, commands, offers: {}, status, deadLetterFile },
  };
  const open: Assembled["open"] = (room, by) => FeatureInstance.assemble(room, { ...shared, options: by });
  const atWork = rooms.flatMap((room) => open(room, options) ?? []);
  return { link, spool, inbox, health, rooms: atWork, deadLetters, open };
}
