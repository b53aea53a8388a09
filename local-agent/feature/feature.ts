import type { HealthProblem } from "../base/health-problem.ts";
import type { Logger } from "../base/log.ts";
import type { Report, Service } from "../base/service.ts";
import type { DeadLetterFile } from "../store/dead-letter-file.ts";
import type { DeadLetterOutbox } from "../store/dead-letter-outbox.ts";
import type { Inbox } from "../store/inbox.ts";
import type { Spool } from "../store/spool.ts";
import type { StateDatabase } from "../store/state-database.ts";
import type { CommandRunner } from "./command.ts";
import type { EdgeLink, LinkState } from "./edge-link.ts";
import type { Provided } from "./provided.ts";
import type { Registrar } from "./registrar.ts";

/** Settings that every feature gets: the host, its state, and the edge that it belongs to. */
export interface HostSettings {
  /** The file that the settings were read from. Relative paths in it start at its directory. */
  readonly configFile?: string | undefined;
  readonly hostId: string;
  readonly stateDir: string;
  readonly url: string;
  /** Called for each connection, so that a replaced token takes effect. Throws ExpectedError when there is no token. */
  readonly token: () => string;
  readonly ecosystem: string;
  /** Names of the sources that are switched on. */
  readonly sources: readonly string[];
}

export interface AgentStatus {
  readonly host: string;
  readonly version: string;
  readonly link: LinkState;
  readonly sources: readonly Report[];
  /** Which signals the edge sends to this host. */
  readonly subscriptions: readonly SinkSubscription[];
  /** The status of each feature that registered one, under the feature's name. */
  readonly [feature: string]: unknown;
}

/** What the agent gives to a feature. */
export interface FeatureContext<Settings> {
  readonly options: Settings;
  /** Withdrawn as a whole when the feature stops or its start fails. */
  readonly register: Registrar;
  readonly db: StateDatabase;
  readonly spool: Spool;
  readonly inbox: Inbox;
  readonly link: EdgeLink;
  /** Dead letters of this host on their way to the edge. */
  readonly deadLetters: DeadLetterOutbox;
  /**
   * A file in `<state dir>/dead-letter/`. The same name gives the same file, also to a feature that is restarted: two
   * writers would each apply the size limit on their own. The agent flushes these files when it stops.
   */
  deadLetterFile(name: string, maxBytes: number): DeadLetterFile;
  readonly log: Logger;
  readonly now: () => number;
  /** Calls of the features that are running now. Read them when they are needed, not once at assembly. */
  readonly provided: Provided;
  /** The status of the whole agent. */
  readonly status: () => AgentStatus;
  readonly commands: CommandRunner;
  readonly health: { check(): Promise<HealthProblem | undefined> };
  /** The metrics of all features. */
  readonly allMetrics: { readonly contentType: string; text(): Promise<string> };
  /** Changes the patterns of a sink that has them `auto`; no pattern: it needs no signal at present. */
  askFor(sink: string, patterns: readonly string[], because: string): void;
}

/** What a sink is subscribed to, and why. */
export interface SinkSubscription {
  readonly sink: string;
  readonly signals: readonly string[];
  readonly because: string;
}

export interface FeatureParts<Settings> {
  /** Started in this order, stopped in reverse order. The reports of services appear in the agent's status. */
  readonly services: readonly Service[];
  /**
   * Applies changed settings while the feature runs: called when settings of `reloadOn` changed, and none of
   * `restartOn`. Work that is in progress finishes with the old settings.
   *
   * @returns `false` to be restarted instead
   */
  readonly reload?: (settings: Settings) => unknown;
}

/** A reader of the inbox with a cursor of its own. */
export interface Sink {
  readonly name: string;
  /** Patterns of the signals that it reads; `auto`: those that its feature asks for while it runs, at first none. */
  readonly patterns: readonly string[] | "auto";
  /** Why it reads them, for people. */
  readonly because: string;
  /** It skips signals that were published on this host's bus and come back from the edge. */
  readonly notFromOwnBus?: true;
}

/** One thing that an agent can do, built from the settings. */
export interface Feature<Settings extends HostSettings> {
  readonly name: string;
  /** Whether it stops before all others. */
  readonly stopsFirst?: boolean;
  /** Whether the agent's status shows it while it is switched off. */
  readonly shownWhenOff?: boolean;
  /** Settings that it applies while it runs. */
  readonly reloadOn?: readonly (keyof Settings)[];
  /**
   * Settings whose change restarts this feature alone. Of `sources`, only a change of the feature's own name counts.
   * Settings in neither list take effect when the agent restarts.
   */
  readonly restartOn?: readonly (keyof Settings)[];
  readonly sinks?: (settings: Settings) => readonly Sink[];
  /** Builds and registers the feature; nothing is started here. @returns `undefined` when the settings switch it off */
  assemble(context: FeatureContext<Settings>): FeatureParts<Settings> | undefined;
}
