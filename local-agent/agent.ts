import { isDeepStrictEqual } from "node:util";
import { type Assembled, assemble, subscription } from "./assemble.ts";
import { Listeners } from "./listeners.ts";
import type { AgentOptions, AgentStatus } from "./room.ts";
import { ROOMS } from "./rooms.ts";
import { isReporting, type Report, type Service } from "./service.ts";
import type { AgentSettings } from "./settings.ts";
import { StateDatabase } from "./state-database.ts";
import { version } from "./version.ts";

export type { AgentOptions, AgentStatus } from "./room.ts";

/** What became of new settings. */
export interface Reloaded {
  /** Names of settings that are in force now. */
  readonly taken: readonly string[];
  /** Names of settings that changed, and count after a restart only. */
  readonly restart: readonly string[];
}

/** Everything that runs on a host: sources → spool → link → inbox → sinks. */
export class Agent implements Service {
  readonly name = "agent";
  #options: AgentOptions;
  readonly #listeners = new Listeners();
  #db: StateDatabase | undefined;
  #parts: Assembled | undefined;
  #failed: ((error: Error) => void) | undefined;
  /** In the order in which they were started. */
  #started: Service[] = [];

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
      const parts = this.#parts?.rooms.get(room);
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
  async health(): Promise<string | undefined> {
    return this.#parts === undefined ? "it has not started" : this.#parts.health.check();
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
    const { logger, stateDir } = this.#options;
    this.#db = StateDatabase.open(stateDir);
    const { movedAside } = this.#db;
    if (movedAside !== undefined)
      logger.error({ moved_to: movedAside }, "the state was corrupted: it was moved aside, and a new one begins");
    this.#db.onCorrupted((error) => this.#failed?.(error));
    try {
      this.#parts = assemble(ROOMS, this.#options, this.#db, () => this.status);
      for (const service of this.#parts.services) {
        this.#started.push(service);
        await service.start();
      }
    } catch (error) {
      await this.stop();
      throw error;
    }
    for (const service of this.#parts.services) if (isReporting(service)) service.onChange(() => this.#changed());
    this.#parts.link.onChange(() => this.#changed());
    this.#changed();
    for (const { name, state, detail } of this.status.sources) logger.info(`${name}: ${state}, ${detail}`);
  }

  /** Takes over what changed in the settings where that is safe while the agent runs. */
  async reload(settings: AgentSettings): Promise<Reloaded> {
    const changed = new Set(changedNames(this.#options, settings));
    const taken = new Set<string>();
    if (changed.has("logLevel")) {
      this.#options.logger.level = settings.logLevel;
      taken.add("logLevel");
    }
    // What is asked of the edge first: a room that wants more is then not the first to hear that it comes.
    this.#parts?.link.setSubscribe(subscription(ROOMS, settings));
    for (const [room, { reload }] of this.#parts?.rooms ?? []) {
      const own = (room.reloads ?? []).filter((name) => changed.has(name));
      if (own.length === 0 || reload === undefined) continue;
      await reload(settings);
      for (const name of own) taken.add(name);
    }
    const restart = [...changed].filter((name) => !taken.has(name));
    const { logger: _logger, ...before } = this.#options;
    const kept = Object.fromEntries(restart.map((name) => [name, (before as Record<string, unknown>)[name]]));
    this.#options = { ...this.#options, ...settings, ...kept };
    this.#changed();
    return { taken: [...taken], restart };
  }

  /** Sources first, so that the link can send what they took in; the files last. */
  async stop(): Promise<void> {
    for (const part of this.#started.splice(0).reverse()) {
      try {
        await part.stop();
      } catch (error) {
        this.#options.logger.error({ err: error }, `${part.name} did not stop cleanly`);
      }
    }
    await Promise.all(this.#parts?.deadLetters.map((file) => file.flush()) ?? []);
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
