import type { HealthProblem } from "../base/health-problem.ts";
import { Listeners } from "../base/listeners.ts";
import { isReporting, type Report, type Service } from "../base/service.ts";
import { stoppedWithin } from "../base/stop-within.ts";
import { version } from "../base/version.ts";
import type { AgentSettings } from "../config/settings.ts";
import type { AgentStatus, Feature } from "../feature/feature.ts";
import { openWhenFree } from "../store/open-when-free.ts";
import type { StateDatabase } from "../store/state-database.ts";
import type { AgentOptions } from "./agent-options.ts";
import { type Assembly, assemble } from "./assemble.ts";
import { changedNames, concernedNames, isSwitched, withSettings } from "./changed-settings.ts";
import { type FeatureInstance, stopService } from "./feature-instance.ts";
import { FEATURES } from "./features.ts";

/** The outcome of a reload. */
export interface Reloaded {
  /** Names of settings that were applied. */
  readonly applied: readonly string[];
  /** Names of settings that changed and take effect when the agent restarts. */
  readonly restart: readonly string[];
  /** Features that failed with their new settings and went back to the old ones. */
  readonly failed: readonly {
    readonly feature: string;
    readonly settings: readonly string[];
    readonly reason: string;
  }[];
}

/** Time to write dead-letter files when the agent stops. The same dead letters are in the database already. */
const FLUSH_MS = 3_000;

/** Everything that runs on a host: sources → spool → link → inbox → sinks. */
export class Agent implements Service {
  readonly name = "agent";
  #options: AgentOptions;
  readonly #listeners = new Listeners();
  #db: StateDatabase | undefined;
  #assembly: Assembly | undefined;
  readonly #instances = new Map<Feature<AgentOptions>, FeatureInstance>();
  #started = false;
  #stopping = false;
  #failed: ((error: Error) => void) | undefined;

  constructor(options: AgentOptions) {
    this.#options = options;
  }

  get status(): AgentStatus {
    const byFeature: Record<string, unknown> = {};
    const sources: Report[] = [];
    const damage = this.#db && damageOf(this.#db);
    if (damage !== undefined) sources.push({ name: "spool", state: "live", detail: damage });
    for (const feature of FEATURES) {
      const instance = this.#instances.get(feature);
      if (instance === undefined) {
        if (feature.shownWhenOff)
          sources.push({ name: feature.name, state: "off", detail: "switched off in the settings" });
        continue;
      }
      for (const service of instance.parts.services) if (isReporting(service)) sources.push(service.report());
      const { status } = instance;
      if (status !== undefined) byFeature[feature.name] = status;
    }
    return {
      ...byFeature,
      host: this.#options.hostId,
      version: version(),
      link: this.#assembly?.link.state ?? { state: "stopped", detail: "not started" },
      sources,
      subscriptions: this.#assembly?.subscriptions.report ?? [],
    };
  }

  /** Writes to the disk. @returns the problem of the agent; `undefined` when it can take in signals */
  async health(): Promise<HealthProblem | undefined> {
    if (this.#assembly === undefined) return { reason: "the agent has not started", restartHelps: true };
    return this.#assembly.health.check();
  }

  /** Calls `listener` when the agent cannot continue and has to be restarted. */
  onFailure(listener: (error: Error) => void): void {
    this.#failed = listener;
  }

  /** Calls `listener` when `status` changed. @returns a function that removes the listener */
  onChange(listener: () => void): () => void {
    return this.#listeners.add(listener);
  }

  /**
   * Resolves when all features have started. The edge may be away.
   *
   * @throws ExpectedError for errors that a person can fix; nothing is left running then
   */
  async start(): Promise<void> {
    if (this.#db !== undefined) return;
    this.#stopping = false;
    const { logger, stateDir } = this.#options;
    const db = await openWhenFree(stateDir);
    // A stop may have come while another agent held the directory.
    if (this.#stopping) return db.close();
    this.#db = db;
    const { movedAside, neededReserve } = this.#db;
    if (movedAside !== undefined)
      logger.error(
        { moved_to: movedAside },
        "the state database was corrupted: it was moved, and a new one was created",
      );
    if (neededReserve)
      logger.error("the disk is full: the start used the space in reserve, so that the spool can be sent; free space");
    this.#db.onCorrupted((error) => this.#failed?.(error));
    try {
      this.#assembly = assemble(
        FEATURES,
        this.#options,
        this.#db,
        () => this.status,
        () => this.#started && this.#changed(),
      );
      if (this.#db.damage !== undefined) logger.error(this.#db.damage);
      for (const feature of FEATURES) this.#assemble(feature, this.#options);
      await this.#assembly.link.start();
      for (const instance of this.#instances.values()) await instance.start();
    } catch (error) {
      await this.stop();
      throw error;
    }
    for (const instance of this.#instances.values()) instance.onChange(() => this.#changed());
    this.#assembly.link.onChange(() => this.#changed());
    this.#started = true;
    this.#changed();
    for (const { name, state, detail } of this.status.sources) logger.info(`${name}: ${state}, ${detail}`);
  }

  /** Applies changed settings where the running agent can; one call at a time. */
  async reload(settings: AgentSettings): Promise<Reloaded> {
    const before = this.#options;
    const changed = changedNames(before, settings);
    const applied = new Set<string>();
    const failed: Reloaded["failed"][number][] = [];
    if (changed.includes("logLevel")) {
      before.logger.level = settings.logLevel;
      applied.add("logLevel");
    }
    if (changed.includes("spoolMaxBytes")) {
      this.#assembly?.spool.setMaxBytes(settings.spoolMaxBytes);
      applied.add("spoolMaxBytes");
    }
    const concerned = FEATURES.map((feature) => ({ feature, names: concernedNames(feature, changed) }));
    for (const name of concerned.flatMap(({ names }) => names)) applied.add(name);
    const next = withSettings(before, settings, applied);
    if (this.#assembly !== undefined) {
      await this.#subscribeFor(before, next);
      for (const { feature, names } of concerned) {
        const own = names.filter(
          (name) =>
            name !== "sources" || feature.restartOn?.includes(name) !== true || isSwitched(feature, before, next),
        );
        // A stop may have begun during a restart: no feature may be started any more.
        if (this.#stopping) break;
        if (own.length === 0) continue;
        const reason = await this.#applyTo(feature, own, before, next);
        if (reason !== undefined) failed.push({ feature: feature.name, settings: own, reason });
      }
    }
    for (const name of failed.flatMap((one) => one.settings)) applied.delete(name);
    // Settings that were not applied keep their old values, so that the next reload reports them again.
    this.#options = withSettings(before, settings, applied);
    if (this.#stopping) return { applied: [], restart: [], failed };
    await this.#subscribeFor(this.#options);
    this.#changed();
    const reported = new Set([...applied, ...failed.flatMap((one) => one.settings)]);
    return { applied: [...applied], restart: changed.filter((name) => !reported.has(name)), failed };
  }

  /**
   * Subscribes at the edge to the signals of all sinks under any of these settings. During a reload these are the old
   * and the new settings: a sink that needs more gets it from the moment of its restart, and a sink that needs less has
   * stopped reading before its cursor is deleted.
   */
  async #subscribeFor(...all: readonly AgentOptions[]): Promise<void> {
    if (this.#assembly === undefined) return;
    const { inbox, subscriptions, link } = this.#assembly;
    subscriptions.use(...all);
    const { names, wanted } = subscriptions.inbox;
    await inbox.setSinks(names, wanted);
    link.setSubscribe(subscriptions.patterns);
  }

  /** @returns why the feature continues with its old settings; `undefined` when the new ones were applied */
  async #applyTo(
    feature: Feature<AgentOptions>,
    names: readonly string[],
    before: AgentOptions,
    next: AgentOptions,
  ): Promise<string | undefined> {
    const reload = this.#instances.get(feature)?.parts.reload;
    const inPlace = names.every((name) => feature.reloadOn?.some((one) => one === name));
    try {
      if (inPlace && reload !== undefined && (await reload(next)) !== false) return undefined;
      await this.#restart(feature, next);
      return undefined;
    } catch (error) {
      before.logger.error({ err: error }, `${feature.name}: the new settings failed`);
      await this.#restart(feature, before);
      return error instanceof Error ? error.message : String(error);
    }
  }

  async #restart(feature: Feature<AgentOptions>, options: AgentOptions): Promise<void> {
    await this.#stopFeature(feature);
    const instance = this.#stopping ? undefined : this.#assemble(feature, options);
    await instance?.start();
    instance?.onChange(() => this.#changed());
  }

  #assemble(feature: Feature<AgentOptions>, options: AgentOptions): FeatureInstance | undefined {
    const instance = this.#assembly?.assembleFeature(feature, options);
    if (instance !== undefined) this.#instances.set(feature, instance);
    return instance;
  }

  async #stopFeature(feature: Feature<AgentOptions>): Promise<void> {
    const instance = this.#instances.get(feature);
    this.#instances.delete(feature);
    await instance?.stop(this.#options.logger, this.#options.stopMs);
  }

  /**
   * Stops first the features that take commands, so that no new work begins; then all others at once, since none waits
   * for another; then the link, which sends the last signals; the files last. A part that exceeds its time is left
   * behind and ends with the process.
   */
  async stop(): Promise<void> {
    this.#stopping = true;
    this.#started = false;
    this.#db?.announceStop();
    const { logger, stopMs } = this.#options;
    for (const feature of FEATURES) if (feature.stopsFirst === true) await this.#stopFeature(feature);
    await Promise.all(FEATURES.map((feature) => this.#stopFeature(feature)));
    if (this.#assembly !== undefined) await stopService(this.#assembly.link, logger, stopMs);
    const files = [...(this.#assembly?.deadLetterFiles.values() ?? [])];
    const written = await stoppedWithin(FLUSH_MS, Promise.all(files.map((file) => file.flush())));
    if (!written) logger.warn("dead letters: their files were not written in time; the edge gets them all the same");
    this.#db?.close();
    this.#db = undefined;
  }

  #changed(): void {
    const { link: _link, ...status } = this.status;
    this.#assembly?.link.setStatus(status);
    this.#listeners.notify();
  }
}

/** What happened to the spool before this start, for people. */
function damageOf({ movedAside, damage }: StateDatabase): string | undefined {
  if (movedAside === undefined) return damage;
  return `new: the old one was corrupted and moved to ${movedAside}${damage === undefined ? "" : `; ${damage}`}`;
}
