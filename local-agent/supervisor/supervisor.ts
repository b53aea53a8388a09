import { isDeepStrictEqual } from "node:util";
import type { AgentState } from "../../src/core/supervisor/api.ts";
import type { Announcement, ProcessEvent } from "../../src/core/supervisor/process-protocol.ts";
import { Listeners } from "../base/listeners.ts";
import type { Logger } from "../base/log.ts";
import { endLeftovers } from "../base/process/leftovers.ts";
import type { Report, ReportingService } from "../base/service.ts";
import { errorsText, takeIn } from "../store/intake.ts";
import type { Spool } from "../store/spool.ts";
import type { StateDatabase } from "../store/state-database.ts";
import { AgentChild } from "./agent-child.ts";
import { AgentLogs } from "./agent-logs.ts";
import { type AgentSummary, stateOf, summaryOf } from "./agent-state.ts";
import { Cgroups } from "./cgroups.ts";
import { GroupReadings } from "./group-readings.ts";
import { SupervisorJournal } from "./journal.ts";
import { nextTimeMs, onSchedule } from "./schedule-times.ts";
import { type AgentDefinition, type AgentsSettings, startsByItself } from "./settings.ts";
import type { AgentEnvironment } from "./spawn-agent.ts";

export interface SupervisorOptions {
  readonly agents: AgentsSettings;
  readonly environment: AgentEnvironment;
  readonly stateDir: string;
  readonly db: StateDatabase;
  readonly spool: Spool;
  readonly now: () => number;
  readonly log: Logger;
  /** Milliseconds between two measurements; default 5,000. */
  readonly sampleMs?: number;
}

const SAMPLE_MS = 5_000;
const KILL_MS = 5_000;
/** A measurement that is later than this means that this program was suspended. */
const OWN_PAUSE_MS = 2_000;
/** How often the status reports figures that change all the time. */
const SUMMARY_MS = 30_000;
/** Changes within this time are reported together. An agent's task may change often, so it is reported later. */
const GATHER_MS = 500;
const GATHER_TASKS_MS = 10_000;

/**
 * Keeps the configured agents running as children of this process. It decides by what it sees on this machine alone: an
 * edge that cannot be reached stops no agent.
 *
 * Processes that a killed supervisor left running are ended, not adopted: their heartbeats and output went into pipes
 * that are gone, their exit codes could not be read, and under systemd they end with the service anyway. No work is
 * lost: the leases of their tasks expire, and the tasks are given out again.
 */
export class Supervisor implements ReportingService {
  readonly name = "agents";
  readonly #options: SupervisorOptions;
  readonly #children = new Map<string, AgentChild>();
  readonly #listeners = new Listeners();
  readonly #readings = new GroupReadings();
  readonly #schedules = new Map<string, (() => void)[]>();
  /** If this process must end at once, it leaves no agents running without a supervisor. */
  readonly #kill = () => {
    for (const child of this.#children.values()) child.kill();
  };
  readonly #journal: SupervisorJournal;
  readonly #logs: AgentLogs;
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
    this.#logs = new AgentLogs(options);
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

  /** The full state of the named agents, or of all. */
  states(names: readonly string[] = this.names): AgentState[] {
    this.#measure();
    return names.flatMap((name) => {
      const child = this.#children.get(name);
      return child === undefined ? [] : [this.#state(child)];
    });
  }

  /** The agents in the host's status. Changes only on an important change, or after half a minute. */
  summary(): readonly AgentSummary[] {
    return this.#summary;
  }

  /** @param name - `undefined`: the log of all agents together */
  logPath(name: string | undefined): string | undefined {
    return name === undefined ? this.#logs.mergedPath : this.#children.get(name)?.logPath;
  }

  async start(): Promise<void> {
    if (this.#sampling !== undefined) return;
    const { agents, log, sampleMs = SAMPLE_MS } = this.#options;
    const ended = await endLeftovers(this.#journal.unfinished());
    if (ended > 0) log.warn({ count: ended }, "agents: ended processes that an earlier supervisor left running");
    this.#cgroups ??= Cgroups.open({ log });
    const desired = this.#journal.desired();
    for (const [name, definition] of Object.entries(agents)) this.#add(name, definition, desired.get(name));
    this.#sampledMs = performance.now();
    this.#sampling = setInterval(() => this.#sample(sampleMs), sampleMs);
    process.once("exit", this.#kill);
    this.#changed();
  }

  /** The longest `stop_seconds` of all agents, and some time for the kernel to end a killed process. */
  get stopMs(): number {
    const patience = [...this.#children.values()].map(({ definition }) => definition.stop_seconds * 1_000);
    return Math.max(0, ...patience) + KILL_MS;
  }

  /** Sends SIGTERM to all agents, and SIGKILL to those that do not end in time. Their desired states stay. */
  async stop(): Promise<void> {
    clearInterval(this.#sampling);
    clearTimeout(this.#gathering);
    this.#sampling = undefined;
    this.#gathering = undefined;
    for (const name of this.#schedules.keys()) this.#unschedule(name);
    const children = [...this.#children.values()];
    for (const child of children) child.handle({ type: "stop", force: false });
    await Promise.all(children.map((child) => child.settled()));
    process.off("exit", this.#kill);
    await Promise.all(children.map((child) => child.close()));
    this.#children.clear();
  }

  /**
   * Executes a command of a person, and stores the desired states for later starts. Resolves when the agents have
   * started, or ended.
   *
   * @param names - names of known agents
   */
  async command(
    event: Extract<ProcessEvent, { type: "start" | "wake" | "stop" | "restart" }>,
    names: readonly string[],
  ) {
    const children = names.flatMap((name) => this.#children.get(name) ?? []);
    for (const child of children) {
      const before = child.desired;
      child.handle(event);
      if (child.desired !== before) await this.#journal.setDesired(child.name, child.desired);
    }
    await Promise.all(children.map((child) => child.settled()));
    return this.states(names);
  }

  /**
   * Continues with other definitions: agents without a definition are stopped, agents whose definition changed are
   * restarted, all others run on.
   */
  async reload(agents: AgentsSettings): Promise<void> {
    const gone = [...this.#children.values()].filter(
      ({ name, definition }) => !isDeepStrictEqual(definition, agents[name]),
    );
    await Promise.all(gone.map((child) => this.#dismiss(child)));
    const desired = this.#journal.desired();
    for (const [name, definition] of Object.entries(agents))
      if (!this.#children.has(name)) this.#add(name, definition, desired.get(name));
    this.#changed();
  }

  #add(name: string, definition: AgentDefinition, commanded: AgentChild["desired"] | undefined): void {
    const desired = commanded ?? (startsByItself(definition) ? "started" : "on_demand");
    const child = this.#child(name, definition, desired);
    this.#children.set(name, child);
    if (desired === "started") child.handle({ type: "start" });
    this.#schedule(child);
  }

  async #dismiss(child: AgentChild): Promise<void> {
    this.#unschedule(child.name);
    child.handle({ type: "stop", force: false });
    await child.settled();
    await child.close();
    this.#children.delete(child.name);
  }

  #child(name: string, definition: AgentDefinition, desired: AgentChild["desired"]): AgentChild {
    const { environment, log } = this.#options;
    const logFile = this.#logs.of(name, definition.log);
    return new AgentChild({
      name,
      definition,
      environment,
      logFile,
      log,
      desired,
      journal: this.#journal,
      cgroups: this.#cgroups,
      measure: (child) => this.#measure([child]),
      announce: (agent, signal, facts) => void this.#announce(agent, signal, facts),
      onChange: (urgent) => this.#gather(urgent ? GATHER_MS : GATHER_TASKS_MS),
    });
  }

  #state(child: AgentChild): AgentState {
    const next = child.definition.schedules.flatMap(({ cron, time_zone }) => nextTimeMs(cron, time_zone) ?? []);
    const nextMs = next.length === 0 ? null : Math.min(...next);
    const state = stateOf(child.name, child.view(), child.logPath, nextMs, performance.now(), this.#options.now());
    return child.definition.wake_on_mail ? { ...state, wakes_on_mail: true } : state;
  }

  #schedule(child: AgentChild): void {
    for (const [index, { cron, time_zone, start, message, emit }] of child.definition.schedules.entries()) {
      const end = onSchedule(cron, time_zone, () => {
        if (emit !== undefined) {
          // Identified by its time, to the second: if the schedule fires twice, the signal is emitted once.
          const identity = `schedule/${child.name}/${index}/${Math.floor(this.#options.now() / 1000)}`;
          void this.#emit(child.name, emit.signal, emit.facts, identity);
        }
        if (start) child.handle({ type: "wake" });
        const { phase } = child.view();
        if (message !== undefined && (phase === "up" || phase === "starting")) child.send(message);
        if (phase === "stopped")
          this.#options.log.info(`agent ${child.name}: stopped by a person; the schedule does not wake it`);
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
      for (const child of this.#children.values()) child.handle({ type: "paused", forMs: lateMs });
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
    const { environment, spool, now, log } = this.#options;
    const { hostId } = environment;
    const source = `supervisor/${hostId}`;
    const taken = takeIn({ signal, source, facts: { host: hostId, agent: name, ...facts } }, now());
    try {
      if (!taken.ok) throw new Error(`not a valid signal: ${errorsText(taken.errors)}`);
      await spool.put("local", [taken.signal], identity === undefined ? {} : { taken: identity });
    } catch (error) {
      log.error({ err: error }, `agent ${name}: ${signal} could not be emitted`);
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
