import type { OpenMetricsContentType, Registry } from "prom-client";
import type { HostCommands } from "../commands/host-commands.ts";
import type { AgentSettings } from "../config/settings.ts";
import type { Link, LinkOptions, LinkState } from "../link/link.ts";
import type { GpuReading } from "../sampler/gpu-readings.ts";
import type { DeadLetterFile } from "../store/dead-letter-file.ts";
import type { DeadLetterOutbox } from "../store/dead-letter-outbox.ts";
import type { Inbox } from "../store/inbox.ts";
import type { Spool } from "../store/spool.ts";
import type { StateDatabase } from "../store/state-database.ts";
import type { Health } from "../telemetry/health.ts";
import type { Logger } from "./log.ts";
import type { Report, Service } from "./service.ts";

/** Settings, and what only tests and embedders change. */
export interface AgentOptions extends AgentSettings {
  readonly logger: Logger;
  readonly now?: () => number;
  readonly link?: Pick<LinkOptions, "heartbeatMs" | "backOff" | "drainMs">;
  readonly intents?: { readonly rescanMs?: number; readonly settleMs?: number };
  readonly supervisor?: { readonly sampleMs?: number };
  /** Longest stop of a part that names no time of its own, in milliseconds. */
  readonly stopMs?: number;
}

export interface AgentStatus {
  readonly host: string;
  readonly version: string;
  readonly link: LinkState;
  readonly sources: readonly Report[];
  /** What rooms tell beside their reports, under their names. */
  readonly [room: string]: unknown;
}

/** What one room can do for those behind it in the list; a room that is off offers nothing. */
export interface Offers {
  gpuReadings?: () => readonly GpuReading[];
  /** Publishes on the host's own bus, and not to the edge. */
  publishLocally?: (signal: string, facts: Readonly<Record<string, unknown>>) => void;
}

/** What every room of an agent may use. */
export interface FeatureContext {
  readonly options: AgentOptions;
  readonly db: StateDatabase;
  readonly spool: Spool;
  readonly inbox: Inbox;
  readonly link: Link;
  /** Where the edge hears of what could not be processed here. */
  readonly letters: DeadLetterOutbox;
  readonly log: Logger;
  readonly now: () => number;
  /** Prometheus metrics: register those of the room here. */
  readonly metrics: Registry<OpenMetricsContentType>;
  readonly health: Health;
  readonly offers: Offers;
  /** The agent's, of all rooms. */
  readonly status: () => AgentStatus;
  /** What this host can be told to do: add the room's commands when it is assembled. */
  readonly commands: HostCommands;
  /** A file in `<state dir>/dead-letter/`; the agent writes out what it still holds when it stops. */
  deadLetterFile(name: string, maxBytes: number): DeadLetterFile;
}

/** A room at work. */
export interface FeatureParts {
  /** Started in this order, stopped in the reverse one. One with a `report` is shown to people with the agent's status. */
  readonly services: readonly Service[];
  /**
   * Takes over settings that changed; called when some of the room's `reloads` did and none of its `renews`. What is
   * under way finishes by the old ones.
   *
   * @returns `false` where that cannot be done in place: then the room is made anew
   */
  readonly reload?: (settings: AgentSettings) => unknown;
  /** Goes along in the agent's status, under the room's name; told of by the `onChange` of the room's services. */
  readonly status?: () => unknown;
}

/** A reader of the inbox with a cursor of its own. */
export interface Sink {
  readonly name: string;
  /** Signals that it wants. */
  readonly patterns: readonly string[];
  /** It has no use for what came from this host's bus and comes back from the edge. */
  readonly notFromOwnBus?: true;
}

/** One thing that an agent can do, wired up from its settings. A room that is switched off has no parts. */
export interface Feature {
  readonly name: string;
  /** Whether it is stopped before all others. */
  readonly stopsFirst?: boolean;
  /** Whether people are told that it is off. */
  readonly shownWhenOff?: boolean;
  /** Settings that it takes over as it runs. */
  readonly reloads?: readonly (keyof AgentSettings)[];
  /**
   * Settings for which it is stopped and made anew, which its neighbours do not notice; of `sources` it is its own name
   * that counts. What is in neither list takes effect after a restart of the agent.
   */
  readonly renews?: readonly (keyof AgentSettings)[];
  /** Readers of the inbox that this room brings, each with a cursor of its own, and the signals that they want. */
  readonly sinks?: (settings: AgentSettings) => readonly Sink[];
  /** @returns `undefined` where the settings switch the room off */
  assemble(context: FeatureContext): FeatureParts | undefined;
}
