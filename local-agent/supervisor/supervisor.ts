import { join } from "node:path";
import { isDeepStrictEqual } from "node:util";
import type { AgentState } from "../../src/core/supervisor/api.ts";
import type { Announcement, ProcessEvent } from "../../src/core/supervisor/supervised-process.ts";
import { Listeners } from "../base/listeners.ts";
import type { Logger } from "../base/log.ts";
import { endLeftovers } from "../base/process/leftovers.ts";
import type { Report, ReportingService } from "../base/service.ts";
import { takeIn } from "../store/intake.ts";
import type { Spool } from "../store/spool.ts";
import type { StateDatabase } from "../store/state-database.ts";
import { AgentChild } from "./agent-child.ts";
import { type AgentSummary, stateOf, summaryOf } from "./agent-state.ts";
import { Cgroups } from "./cgroups.ts";
import { GroupReadings } from "./group-readings.ts";
import { SupervisorJournal } from "./journal.ts";
import { LogFile } from "./log-file.ts";
import { nextTimeMs, onSchedule } from "./schedule-times.ts";
import { type AgentDefinition, type AgentsSettings, startsByItself } from "./settings.ts";
import type { Surroundings } from "./spawn-agent.ts";

export interface SupervisorOptions {
  readonly agents: AgentsSettings;
  readonly surroundings: Surroundings;
  readonly stateDir: string;
  readonly db: StateDatabase;
  readonly spool: Spool;
  readonly now: () => number;
  readonly log: Logger;
  /** Between two measurements, in milliseconds; default 5,000. */
  readonly sampleMs?: number;
}

const SAMPLE_MS = 5_000;
const KILL_MS = 5_000;
/** A measurement that comes later than this was held up together with everything else. */
const OWN_PAUSE_MS = 2_000;
const MIB = 1024 * 1024;
/** How often those far away are told of figures that change all the time (R44). */
const SUMMARY_MS = 30_000;
/** Changes that come together are told of together; what an agent is at may change with each of its tasks. */
const GATHER_MS = 500;
const GATHER_TASKS_MS = 10_000;

/**
 * Keeps the configured agents running as children of this process. It decides by what it sees on this machine alone:
 * an edge that is away stops nobody.
 *
 * What a supervisor that was killed left running is ended, and not taken over: its heartbeats and its output went
 * into pipes that are gone, how it will end could not be learnt, and under systemd it ends with the service anyway.
 * An agent's work is safe: the lease of its task runs out, and the task is given out again.
 */
export class Supervisor implements ReportingService {
  readonly name = "agents";
  readonly #options: SupervisorOptions;
  readonly #children = new Map<string, AgentChild>();
  readonly #listeners = new Listeners();
  readonly #readings = new GroupReadings();
  readonly #schedules = new Map<string, (() => void)[]>();
  /** Should this process have to end at once, nobody stays behind whom nobody would watch. */
  readonly #kill = () => {
    for (const child of this.#children.values()) child.kill();
  };
  readonly #journal: SupervisorJournal;
  #cgroups: Cgroups | undefined;
  #sampling: NodeJS.Timeout | undefined;
  #gathering: NodeJS.Timeout | undefined;
  #gathersMs = 0;
  #sampledMs = 0;
  #summary: readonly AgentSummary[] = [];
  #summaryMs = 0;

  constructor(options: SupervisorOptions) {
    this.#options = options;
    this.#journal = new SupervisorJournal(options.db);
  }

  report(): Report {
    const phases = [...this.#children.values()].map((child) => child.view().phase);
    const count = (wanted: string) => phases.filter((phase) => phase === wanted).length;
    const gaveUp = count("gave_up");
    const detail = `${count("up")} of ${phases.length} up${gaveUp > 0 ? `, ${gaveUp} given up` : ""}`;
    return { name: this.name, state: gaveUp > 0 ? "failing" : "live", detail };
  }

  onChange(listener: () => void): () => void {
    return this.#listeners.add(listener);
  }

  get names(): string[] {
    return [...this.#children.keys()];
  }

  /** Everything about the named agents, or about all. */
  states(names: readonly string[] = this.names): AgentState[] {
    this.#measure();
    return names.flatMap((name) => {
      const child = this.#children.get(name);
      return child === undefined ? [] : [this.#state(child)];
    });
  }

  /** What goes along in the host's status: it changes only when something worth telling did, or after half a minute. */
  summary(): readonly AgentSummary[] {
    return this.#summary;
  }

  logPath(name: string): string | undefined {
    return this.#children.get(name)?.logPath;
  }

  async start(): Promise<void> {
    if (this.#sampling !== undefined) return;
    const { agents, log, sampleMs = SAMPLE_MS } = this.#options;
    const ended = await endLeftovers(this.#journal.unfinished());
    if (ended > 0) log.warn({ count: ended }, "agents: what an earlier run had left behind was ended");
    this.#cgroups ??= Cgroups.open({ log });
    const desired = this.#journal.desired();
    for (const [name, definition] of Object.entries(agents)) this.#take(name, definition, desired.get(name));
    this.#sampledMs = performance.now();
    this.#sampling = setInterval(() => this.#sample(sampleMs), sampleMs);
    process.once("exit", this.#kill);
    this.#changed();
  }

  /** All agents are asked to stop, and killed where they do not. What people wanted of them stays as it is. */
  /** What the most patient of them is given to end by itself, and a little for the kernel to end it. */
  get stopMs(): number {
    const patience = [...this.#children.values()].map(({ definition }) => definition.stop_seconds * 1_000);
    return Math.max(0, ...patience) + KILL_MS;
  }

  async stop(): Promise<void> {
    clearInterval(this.#sampling);
    clearTimeout(this.#gathering);
    this.#sampling = undefined;
    this.#gathering = undefined;
    for (const name of this.#schedules.keys()) this.#unschedule(name);
    const children = [...this.#children.values()];
    for (const child of children) child.tell({ type: "stop", force: false });
    await Promise.all(children.map((child) => child.settled()));
    process.off("exit", this.#kill);
    await Promise.all(children.map((child) => child.close()));
    this.#children.clear();
  }

  /**
   * Has people's word carried out, and kept for later starts. Resolves when it is done: started, or gone.
   *
   * @param names - known ones
   */
  async command(event: Extract<ProcessEvent, { type: "start" | "stop" | "restart" }>, names: readonly string[]) {
    const children = names.flatMap((name) => this.#children.get(name) ?? []);
    for (const child of children) {
      const before = child.desired;
      child.tell(event);
      if (child.desired !== before) await this.#journal.want(child.name, child.desired);
    }
    await Promise.all(children.map((child) => child.settled()));
    return this.states(names);
  }

  /**
   * Goes on with other definitions: agents that are not named any more are stopped, those that changed are restarted,
   * all others run on.
   */
  async reload(agents: AgentsSettings): Promise<void> {
    const gone = [...this.#children.values()].filter(
      ({ name, definition }) => !isDeepStrictEqual(definition, agents[name]),
    );
    await Promise.all(gone.map((child) => this.#dismiss(child)));
    const desired = this.#journal.desired();
    for (const [name, definition] of Object.entries(agents))
      if (!this.#children.has(name)) this.#take(name, definition, desired.get(name));
    this.#changed();
  }

  #take(name: string, definition: AgentDefinition, told: AgentChild["desired"] | undefined): void {
    const wanted = told ?? (startsByItself(definition) ? "started" : "on_demand");
    const child = this.#child(name, definition, wanted);
    this.#children.set(name, child);
    if (wanted === "started") child.tell({ type: "start" });
    this.#schedule(child);
  }

  async #dismiss(child: AgentChild): Promise<void> {
    this.#unschedule(child.name);
    child.tell({ type: "stop", force: false });
    await child.settled();
    await child.close();
    this.#children.delete(child.name);
  }

  #child(name: string, definition: AgentDefinition, desired: AgentChild["desired"]): AgentChild {
    const { surroundings, stateDir, log } = this.#options;
    const path = join(stateDir, "agents", `${name}.log`);
    const logFile = new LogFile({ path, maxBytes: definition.log.max_mb * MIB, keep: definition.log.keep, log });
    return new AgentChild({
      ...{ name, definition, surroundings, logFile, log, desired, journal: this.#journal, cgroups: this.#cgroups },
      measure: (child) => this.#measure([child]),
      announce: (agent, signal, facts) => void this.#announce(agent, signal, facts),
      onChange: (urgent) => this.#gather(urgent ? GATHER_MS : GATHER_TASKS_MS),
    });
  }

  #state(child: AgentChild): AgentState {
    const next = child.definition.schedules.flatMap(({ cron, time_zone }) => nextTimeMs(cron, time_zone) ?? []);
    const nextMs = next.length === 0 ? null : Math.min(...next);
    return stateOf(child.name, child.view(), child.logPath, nextMs, performance.now(), this.#options.now());
  }

  #schedule(child: AgentChild): void {
    for (const [index, { cron, time_zone, start, message, emit }] of child.definition.schedules.entries()) {
      const end = onSchedule(cron, time_zone, () => {
        if (emit !== undefined) {
          // Its time names it, to the second: should this fire twice, the signal is emitted once.
          const identity = `schedule/${child.name}/${index}/${Math.floor(this.#options.now() / 1000)}`;
          void this.#emit(child.name, emit.signal, emit.facts, identity);
        }
        if (start) child.tell({ type: "wake" });
        const { phase } = child.view();
        if (message !== undefined && (phase === "up" || phase === "starting")) child.send(message);
        if (phase === "stopped")
          this.#options.log.info(`agent ${child.name}: it was stopped, so its schedule does not wake it`);
      });
      this.#schedules.set(child.name, [...(this.#schedules.get(child.name) ?? []), end]);
    }
  }

  #unschedule(name: string): void {
    for (const end of this.#schedules.get(name) ?? []) end();
    this.#schedules.delete(name);
  }

  #sample(sampleMs: number): void {
    const now = performance.now();
    const lateMs = now - this.#sampledMs - sampleMs;
    this.#sampledMs = now;
    if (lateMs > OWN_PAUSE_MS)
      for (const child of this.#children.values()) child.tell({ type: "paused", forMs: lateMs });
    this.#measure();
    if (now - this.#summaryMs >= SUMMARY_MS) this.#changed();
  }

  #measure(children: Iterable<AgentChild> = this.#children.values()): void {
    const byPid = new Map([...children].flatMap((child) => (child.pid === undefined ? [] : [[child.pid, child]])));
    for (const [pid, reading] of this.#readings.read(byPid.keys(), performance.now()))
      byPid.get(pid)?.measured(reading);
  }

  async #announce(name: string, signal: Announcement, facts: Readonly<Record<string, unknown>>): Promise<void> {
    const { log } = this.#options;
    const level = signal === "Q_PROCESS_RESTARTED" ? "info" : "warn";
    log[level](facts, `agent ${name}: ${signal}`);
    await this.#emit(name, signal, facts);
  }

  async #emit(name: string, signal: string, facts: Readonly<Record<string, unknown>>, identity?: string) {
    const { surroundings, spool, now, log } = this.#options;
    const { hostId } = surroundings;
    const source = `supervisor/${hostId}`;
    const taken = takeIn({ signal, source, facts: { host: hostId, agent: name, ...facts } }, now());
    try {
      if (!taken.ok) throw new Error(`it is not a valid signal: ${JSON.stringify(taken.errors)}`);
      await spool.put("local", [taken.signal], identity === undefined ? {} : { taken: identity });
    } catch (error) {
      log.error({ err: error }, `agent ${name}: ${signal} could not be told`);
    }
  }

  #gather(ms: number): void {
    if (this.#sampling === undefined) return;
    const dueMs = performance.now() + ms;
    if (this.#gathering !== undefined && this.#gathersMs <= dueMs) return;
    clearTimeout(this.#gathering);
    this.#gathersMs = dueMs;
    this.#gathering = setTimeout(() => {
      this.#gathering = undefined;
      this.#changed();
    }, ms);
  }

  #changed(): void {
    this.#summaryMs = performance.now();
    this.#summary = [...this.#children.values()].map((child) => summaryOf(this.#state(child)));
    this.#listeners.notify();
  }
}
