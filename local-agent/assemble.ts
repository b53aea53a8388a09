import { join } from "node:path";
import { type OpenMetricsContentType, Registry } from "prom-client";
import { compilePatterns } from "../src/core/signals/pattern.ts";
import { unionOfPatterns } from "../src/core/signals/pattern-union.ts";
import { DeadLetterFile } from "./dead-letter-file.ts";
import { Health } from "./health.ts";
import { HostWork } from "./host-work/host-work.ts";
import { Inbox } from "./inbox.ts";
import { LetterOutbox } from "./letters/letter-outbox.ts";
import { Link } from "./link.ts";
import type { AgentOptions, Room, RoomContext, RoomParts, Sink } from "./room.ts";
import type { Service } from "./service.ts";
import type { AgentSettings } from "./settings.ts";
import { Spool } from "./spool.ts";
import type { StateDatabase } from "./state-database.ts";

export interface Assembled {
  readonly link: Link;
  readonly health: Health;
  /** Those that are on, in the order of the list. */
  readonly rooms: ReadonlyMap<Room, RoomParts>;
  /** In the order in which they are started. */
  readonly services: readonly Service[];
  readonly deadLetters: readonly DeadLetterFile[];
}

const LINK_DEAD_LETTERS_BYTES = 64 * 1024 * 1024;

/** What is asked of the edge for all sinks together. */
export function subscription(rooms: readonly Room[], settings: AgentSettings): string[] {
  return unionOfPatterns(sinksOf(rooms, settings).map(({ patterns }) => patterns));
}

function sinksOf(rooms: readonly Room[], settings: AgentSettings) {
  return rooms.flatMap((room) => room.sinks?.(settings) ?? []);
}

/**
 * What this host's bus has said comes back from the edge with everything else. Where nobody but the bus would get it, it
 * is not written down: on a busy bus that would be as much work again.
 */
function openInbox(db: StateDatabase, sinks: readonly Sink[], spool: Spool): Inbox {
  const others = sinks.filter(({ notFromOwnBus }) => notFromOwnBus !== true).map(({ patterns }) => patterns);
  const wantOwn = others.length === 0 ? () => false : compilePatterns(unionOfPatterns(others));
  const names = sinks.map(({ name }) => name);
  return new Inbox(db, names, ({ id, signal }) => !spool.owns(id, "bus") || wantOwn(signal));
}

/** The agent's own parts, and then each room's, which only add themselves. Nothing is started here. */
export function assemble(
  rooms: readonly Room[],
  options: AgentOptions,
  db: StateDatabase,
  status: RoomContext["status"],
): Assembled {
  const { hostId, stateDir, logger: log, now = Date.now } = options;
  const deadLetters: DeadLetterFile[] = [];
  const deadLetterFile: RoomContext["deadLetterFile"] = (name, maxBytes) => {
    const file = new DeadLetterFile({ path: join(stateDir, "dead-letter", `${name}.jsonl`), maxBytes, log });
    deadLetters.push(file);
    return file;
  };
  const sinks = sinksOf(rooms, options);
  const spool = new Spool(db, { hostId, maxBytes: options.spoolMaxBytes, now, log });
  const inbox = openInbox(db, sinks, spool);
  const { url, token, ecosystem } = options;
  const letters = new LetterOutbox(db, { hostId, log });
  const link = new Link({
    ...{ url, token, ecosystem, hostId, spool, letters, log, ...options.link },
    subscribe: subscription(rooms, options),
    deadLetters: deadLetterFile("link", LINK_DEAD_LETTERS_BYTES),
    // Without a sink nothing would ever take what arrives out of the journal.
    inbox: sinks.length > 0 ? inbox : null,
  });
  const metrics = new Registry<OpenMetricsContentType>();
  metrics.setContentType(Registry.OPENMETRICS_CONTENT_TYPE);
  const health = new Health(db);
  const commands = new HostWork();
  const context: RoomContext = {
    ...{
      options,
      db,
      spool,
      inbox,
      link,
      letters,
      log,
      now,
      metrics,
      health,
      commands,
      offers: {},
      status,
      deadLetterFile,
    },
  };
  const parts = new Map<Room, RoomParts>();
  for (const room of rooms) {
    const assembled = room.assemble(context);
    if (assembled !== undefined) parts.set(room, assembled);
  }
  const services = [link, ...[...parts.values()].flatMap((part) => part.services)];
  return { link, health, rooms: parts, services, deadLetters };
}
