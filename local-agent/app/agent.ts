import { isDeepStrictEqual } from "node:util";
import type { AgentOptions, AgentStatus, Feature } from "../base/feature.ts";
import { Listeners } from "../base/listeners.ts";
import { isReporting, type Report, type Service } from "../base/service.ts";
import { stoppedWithin } from "../base/stop-within.ts";
import { version } from "../base/version.ts";
import type { AgentSettings } from "../config/settings.ts";
import { StateDatabase } from "../store/state-database.ts";
import type { HealthProblem } from "../telemetry/health.ts";
import { type Assembled, assemble, inboxSinks, subscription } from "./assemble.ts";
import { type FeatureInstance, stopService } from "./feature-instance.ts";
import { ROOMS } from "./features.ts";

export type { AgentOptions, AgentStatus } from "../base/feature.ts";

/** What became of new settings. */
export interface Reloaded {
  /** Names of settings that are in force now. */
  readonly taken: readonly string[];
  /** Names of settings that changed, and count after a restart only. */
  readonly restart: readonly string[];
  /** Rooms that could not go on with their new settings and went back to the old ones. */
  readonly failed: readonly { readonly room: string; readonly settings: readonly string[]; readonly reason: string }[];
}

/** For files beside what is in the database already. */
const FLUSH_MS = 3_000;

/** Everything that runs on a host: sources → spool → link → inbox → sinks. */
export class Agent implements Service {
  readonly name = "agent";
  #options: AgentOptions;
  readonly #listeners = new Listeners();
  #db: StateDatabase | undefined;
  #parts: Assembled | undefined;
  readonly #rooms = new Map<Feature, FeatureInstance>();
  #stopping = false;
  #failed: ((error: Error) => void) | undefined;

  constructor(options: AgentOptions) {
    this.#options = options;
  }

  get status(): AgentStatus {
    const told: Record<string, unknown> = {};
    const sources: Report[] = [];
    const aside = this.#db?.movedAside;
    if (aside !== undefined)
      sources.push({ name: "spool", state: "live", detail: `a new one: what was there was corrupted, see ${aside}` });
    for (const room of ROOMS) {
      const parts = this.#rooms.get(room)?.parts;
      if (parts === undefined && room.shownWhenOff)
        sources.push({ name: room.name, state: "off", detail: "switched off in the settings" });
      for (const service of parts?.services ?? []) if (isReporting(service)) sources.push(service.report());
      if (parts?.status !== undefined) told[room.name] = parts.status();
    }
    return {
      ...told,
      host: this.#options.hostId,
      version: version(),
      link: this.#parts?.link.state ?? { state: "stopped", detail: "not started" },
      sources,
    };
  }

  /** What is wrong with the agent; `undefined`: it can take signals in. Writes to the disk. */
  async health(): Promise<HealthProblem | undefined> {
    if (this.#parts === undefined) return { reason: "it has not started", restartHelps: true };
    return this.#parts.health.check();
  }

  /** Calls `listener` when the agent cannot go on, and has to be started anew. */
  onFailure(listener: (error: Error) => void): void {
    this.#failed = listener;
  }

  /** Hears every change of `status`. @returns a function that ends it */
  onChange(listener: () => void): () => void {
    return this.#listeners.add(listener);
  }

  /**
   * Resolves when all sources are up; the edge may be away.
   *
   * @throws ExpectedError for what a person can put right; nothing is left running then
   */
  async start(): Promise<void> {
    if (this.#db !== undefined) return;
    this.#stopping = false;
    const { logger, stateDir } = this.#options;
    this.#db = StateDatabase.open(stateDir);
    const { movedAside } = this.#db;
    if (movedAside !== undefined)
      logger.error({ moved_to: movedAside }, "the state was corrupted: it was moved aside, and a new one begins");
    this.#db.onCorrupted((error) => this.#failed?.(error));
    try {
      this.#parts = assemble(ROOMS, this.#options, this.#db, () => this.status);
      for (const opened of this.#parts.rooms) this.#rooms.set(opened.room, opened);
      await this.#parts.link.start();
      for (const room of this.#parts.rooms) await room.start();
    } catch (error) {
      await this.stop();
      throw error;
    }
    for (const room of this.#parts.rooms) room.onChange(() => this.#changed());
    this.#parts.link.onChange(() => this.#changed());
    this.#changed();
    for (const { name, state, detail } of this.status.sources) logger.info(`${name}: ${state}, ${detail}`);
  }

  /** Takes over what changed in the settings where that is safe while the agent runs; one call at a time. */
  async reload(settings: AgentSettings): Promise<Reloaded> {
    const before = this.#options;
    const changed = changedNames(before, settings);
    const taken = new Set<string>();
    const failed: Reloaded["failed"][number][] = [];
    if (changed.includes("logLevel")) {
      before.logger.level = settings.logLevel;
      taken.add("logLevel");
    }
    if (changed.includes("spoolMaxBytes")) {
      this.#parts?.spool.setMaxBytes(settings.spoolMaxBytes);
      taken.add("spoolMaxBytes");
    }
    const concerned = ROOMS.map((room) => ({ room, names: changed.filter((name) => concerns(room, name)) }));
    for (const name of concerned.flatMap(({ names }) => names)) taken.add(name);
    const next = { ...before, ...pick(settings, [...taken]) };
    if (this.#parts !== undefined) {
      await this.#listenFor(before, next);
      for (const { room, names } of concerned) {
        const own = names.filter(
          (name) =>
            name !== "sources" ||
            room.renews?.includes(name) !== true ||
            isSource(room, before) !== isSource(room, next),
        );
        // Asked to stop meanwhile: nothing may be started any more.
        if (this.#stopping) break;
        if (own.length === 0) continue;
        const reason = await this.#turn(room, own, before, next);
        if (reason !== undefined) failed.push({ room: room.name, settings: own, reason });
      }
    }
    for (const name of failed.flatMap((one) => one.settings)) taken.delete(name);
    // What does not count yet stays as it was, so that it is told again.
    this.#options = { ...before, ...pick(settings, [...taken]) };
    if (this.#stopping) return { taken: [], restart: [], failed };
    await this.#listenFor(this.#options);
    this.#changed();
    const told = new Set([...taken, ...failed.flatMap((one) => one.settings)]);
    return { taken: [...taken], restart: changed.filter((name) => !told.has(name)), failed };
  }

  /**
   * Asks the edge for what the rooms want by any of these settings: who wants more hears it from the moment at which it
   * goes on by the new ones, and who wants less has stopped reading before its place in the inbox goes.
   */
  async #listenFor(...all: readonly AgentSettings[]): Promise<void> {
    if (this.#parts === undefined) return;
    const { inbox, spool, link } = this.#parts;
    const sinks = all.map((settings) => inboxSinks(ROOMS, settings, spool));
    const names = [...new Set(sinks.flatMap((one) => one.names))];
    await inbox.setSinks(names, (signal) => sinks.some(({ wanted }) => wanted(signal)));
    link.setSubscribe(subscription(ROOMS, ...all));
  }

  /** @returns why the room goes on with its old settings */
  async #turn(
    room: Feature,
    names: readonly string[],
    before: AgentOptions,
    next: AgentOptions,
  ): Promise<string | undefined> {
    const { logger } = before;
    const old = this.#rooms.get(room);
    const inPlace = names.every((name) => room.reloads?.some((one) => one === name));
    try {
      if (inPlace && old?.parts.reload !== undefined && (await old.parts.reload(next)) !== false) return undefined;
      await this.#close(room);
      await this.#open(room, next);
      return undefined;
    } catch (error) {
      logger.error({ err: error }, `${room.name}: it could not go on with its new settings`);
      await this.#close(room);
      await this.#open(room, before);
      return error instanceof Error ? error.message : String(error);
    }
  }

  async #open(room: Feature, options: AgentOptions): Promise<void> {
    const opened = this.#stopping ? undefined : this.#parts?.open(room, options);
    if (opened === undefined) return;
    this.#rooms.set(room, opened);
    await opened.start();
    opened.onChange(() => this.#changed());
  }

  async #close(room: Feature): Promise<void> {
    const opened = this.#rooms.get(room);
    this.#rooms.delete(room);
    await opened?.stop(this.#options.logger, this.#options.stopMs);
  }

  /**
   * Who takes commands first, so that nothing is begun any more; then all other rooms at once, since what one of them waits
   * for is nothing of the others; then the link, which sends what they took in; the files last. No part takes longer than
   * it may: what hangs ends with the process.
   */
  async stop(): Promise<void> {
    this.#stopping = true;
    const { logger, stopMs } = this.#options;
    for (const room of ROOMS) if (room.stopsFirst === true) await this.#close(room);
    await Promise.all(ROOMS.map((room) => this.#close(room)));
    if (this.#parts !== undefined) await stopService(this.#parts.link, logger, stopMs);
    const files = [...(this.#parts?.deadLetters.values() ?? [])];
    const written = await stoppedWithin(FLUSH_MS, Promise.all(files.map((file) => file.flush())));
    if (!written)
      logger.warn("dead letters: their files could not be written in time; the edge is told of them all the same");
    this.#db?.close();
    this.#db = undefined;
  }

  #changed(): void {
    const { link: _link, ...status } = this.status;
    this.#parts?.link.setStatus(status);
    this.#listeners.tell();
  }
}

/** Functions are how secrets are read, and are the same whatever they lead to. */
function changedNames(before: AgentSettings, after: AgentSettings): string[] {
  const names = new Set([...Object.keys(before), ...Object.keys(after)]);
  const old = before as unknown as Record<string, unknown>;
  const fresh = after as unknown as Record<string, unknown>;
  return [...names].filter(
    (name) =>
      name !== "logger" &&
      name in fresh &&
      typeof fresh[name] !== "function" &&
      !isDeepStrictEqual(old[name], fresh[name]),
  );
}

const isSource = ({ name }: Feature, { sources }: AgentSettings): boolean => sources.some((source) => source === name);

function concerns({ reloads = [], renews = [] }: Feature, setting: string): boolean {
  return [...reloads, ...renews].some((name) => name === setting);
}

function pick(settings: AgentSettings, names: readonly string[]): Partial<AgentSettings> {
  const values = settings as unknown as Record<string, unknown>;
  return Object.fromEntries(names.map((name) => [name, values[name]]));
}
