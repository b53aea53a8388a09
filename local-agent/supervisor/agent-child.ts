import type { ChildProcess } from "node:child_process";
import { randomUUID } from "node:crypto";
import { setImmediate as nextTurn } from "node:timers/promises";
import { MAX_HEARTBEAT_BYTES, readHeartbeat } from "../../src/core/supervisor/heartbeat.ts";
import type { Reading } from "../../src/core/supervisor/process-judgement.ts";
import type { ProcessRules } from "../../src/core/supervisor/process-rules.ts";
import {
  type Announcement,
  type Desired,
  type ProcessAction,
  type ProcessEvent,
  type ProcessView,
  SupervisedProcess,
} from "../../src/core/supervisor/supervised-process.ts";
import type { Logger } from "../base/log.ts";
import { LineSplitter } from "../base/process/output.ts";
import { identify, signalGroup } from "../base/process/process-group.ts";
import { type Cgroups, type Held, NOTHING_HELD, withinHeld } from "./cgroups.ts";
import type { SupervisorJournal } from "./journal.ts";
import type { LogFile } from "./log-file.ts";
import { type AgentDefinition, rulesOf } from "./settings.ts";
import { type Surroundings, spawnAgent, spawnProblem } from "./spawn-agent.ts";

export interface AgentChildOptions {
  readonly name: string;
  readonly definition: AgentDefinition;
  readonly surroundings: Surroundings;
  readonly journal: SupervisorJournal;
  readonly logFile: LogFile;
  readonly cgroups: Cgroups | undefined;
  readonly log: Logger;
  readonly desired: Desired;
  /** Takes a fresh reading of this process and tells it. */
  readonly measure: (child: AgentChild) => void;
  readonly announce: (name: string, signal: Announcement, facts: Readonly<Record<string, unknown>>) => void;
  /** @param urgent - it came, went or hung; otherwise it only turned to something else */
  readonly onChange: (urgent: boolean) => void;
}

/** A timer that comes later than this was held up by us, not by the process. */
const OWN_PAUSE_MS = 2_000;
const LONGEST_TIMER_MS = 2 ** 31 - 1;
/** What an ended process left in its pipes is read within this. */
const DRAIN_MS = 200;
const MAX_MESSAGES = 100;

/** One agent as a child process: carries out what {@link SupervisedProcess} decides, and tells it what happens. */
export class AgentChild {
  readonly name: string;
  readonly definition: AgentDefinition;
  readonly #options: AgentChildOptions;
  readonly #rules: ProcessRules;
  readonly #process: SupervisedProcess;
  readonly #settled = new Set<() => void>();
  #child: ChildProcess | undefined;
  #held: Held = NOTHING_HELD;
  #timer: NodeJS.Timeout | undefined;
  #messages: string[] = [];

  constructor(options: AgentChildOptions) {
    this.#options = options;
    this.name = options.name;
    this.definition = options.definition;
    this.#rules = rulesOf(options.definition);
    this.#process = new SupervisedProcess(this.#rules, options.desired);
  }

  /** Of the process that exists, which leads its group. */
  get pid(): number | undefined {
    return this.#child?.pid;
  }

  get logPath(): string {
    return this.#options.logFile.path;
  }

  get desired(): Desired {
    return this.#process.desired;
  }

  view(): ProcessView {
    return this.#process.view(performance.now());
  }

  tell(event: ProcessEvent): void {
    const before = this.view();
    for (const action of this.#process.handle(event, performance.now())) this.#carryOut(action);
    this.#arm();
    const { phase, verdict, task, pid } = this.view();
    if (before.phase !== phase || before.pid !== pid) this.#options.onChange(true);
    else if (before.verdict !== verdict || before.task !== task) this.#options.onChange(false);
    if (phase !== "starting" && phase !== "stopping") for (const settle of this.#settled) settle();
  }

  measured(reading: Reading): void {
    this.tell({ type: "measured", reading: withinHeld(reading, this.#rules, this.#held) });
  }

  /** Resolves when it is neither on its way up nor on its way out. */
  async settled(): Promise<void> {
    const moving = () => ["starting", "stopping"].includes(this.view().phase);
    while (moving()) {
      await new Promise<void>((resolve) => {
        const settle = () => {
          this.#settled.delete(settle);
          resolve();
        };
        this.#settled.add(settle);
      });
    }
  }

  /** A line of JSON on its standard input, now or when it has started. */
  send(message: unknown): void {
    const line = `${JSON.stringify(message)}\n`;
    if (this.#child?.stdin?.writable) this.#child.stdin.write(line);
    else if (this.#messages.push(line) > MAX_MESSAGES) this.#messages.shift();
  }

  /** For when this very process ends and can wait for nothing. */
  kill(): void {
    if (this.pid !== undefined) signalGroup(this.pid, "SIGKILL");
  }

  /** Ends its timer. It has been stopped before. */
  close(): Promise<void> {
    clearTimeout(this.#timer);
    return this.#options.logFile.flush();
  }

  #carryOut(action: ProcessAction): void {
    switch (action.do) {
      case "spawn":
        void this.#spawn();
        return;
      case "signal":
        if (this.pid === undefined) return;
        this.#note(`${action.signal} was sent`);
        signalGroup(this.pid, action.signal);
        return;
      case "announce":
        this.#options.announce(this.name, action.signal, action.facts);
        return;
    }
  }

  async #spawn(): Promise<void> {
    const { name, definition, surroundings, journal } = this.#options;
    const run = `${name}.${randomUUID()}`;
    // A disk that is full is no reason to have no agents.
    await journal.begin(name, run).catch((error: unknown) => this.#unwritten(error));
    try {
      const { child, heartbeat } = spawnAgent(name, definition, surroundings, this.#rules.heartbeatMs, run);
      await new Promise<void>((resolve, reject) => {
        child.once("error", reject);
        child.once("spawn", resolve);
      });
      // Nothing of it has been read yet: its streams wait until somebody listens.
      this.#attach(child, run);
      const lines = new LineSplitter((line) => this.#heard(line));
      heartbeat.on("data", (chunk: Buffer) => lines.write(chunk));
      child.once("exit", () => heartbeat.destroy());
    } catch (error) {
      await journal.ended(name, run).catch((cause: unknown) => this.#unwritten(cause));
      this.tell({ type: "spawn_failed", error: spawnProblem(error, definition, surroundings.directory) });
    }
  }

  #attach(child: ChildProcess, run: string): void {
    const { name, journal, logFile, cgroups } = this.#options;
    const pid = child.pid as number;
    this.#held = cgroups?.admit(name, pid, run, this.#rules) ?? NOTHING_HELD;
    this.#child = child;
    child.stdout?.on("data", (chunk: Buffer) => logFile.write(chunk));
    child.stderr?.on("data", (chunk: Buffer) => logFile.write(chunk));
    const failed = (error: unknown) => this.#unwritten(error);
    const identity = identify(pid);
    if (identity !== undefined) journal.started(name, run, identity).catch(failed);
    child.once("exit", (code, signal) => {
      // What it started must not go on beside its successor.
      signalGroup(pid, "SIGKILL");
      const outOfMemory = cgroups?.dismiss(name) === true && signal === "SIGKILL";
      const drained = setTimeout(() => {
        child.stdout?.destroy();
        child.stderr?.destroy();
      }, DRAIN_MS);
      child.once("close", () => clearTimeout(drained));
      this.#child = undefined;
      this.#note(code === null ? `process ${pid} was ended by ${signal}` : `process ${pid} ended with code ${code}`);
      journal.ended(name, run).catch(failed);
      const why = "it used more memory than it may, and the kernel ended it";
      this.tell({ type: "exited", code, signal, ...(outOfMemory && { why }) });
    });
    this.#note(`process ${pid} was started`);
    for (const line of this.#messages.splice(0)) child.stdin?.write(line);
    this.tell({ type: "spawned", pid });
  }

  #heard(line: string): void {
    const beat = line.length > MAX_HEARTBEAT_BYTES ? undefined : readHeartbeat(line);
    if (beat !== undefined) this.tell({ type: "heartbeat", beat });
  }

  #arm(): void {
    clearTimeout(this.#timer);
    const dueMs = this.#process.dueMs;
    if (dueMs === undefined) return;
    const waitMs = Math.min(Math.max(0, Math.ceil(dueMs - performance.now())), LONGEST_TIMER_MS);
    this.#timer = setTimeout(() => void this.#due(dueMs), waitMs);
  }

  async #due(dueMs: number): Promise<void> {
    if (this.view().phase === "up") {
      const lateMs = performance.now() - dueMs;
      // We were stopped ourselves, and perhaps the process with us: it gets a whole new time to say something.
      if (lateMs > OWN_PAUSE_MS) return this.tell({ type: "paused", forMs: lateMs + this.#rules.heartbeatMs });
      // Timers come before input in a turn of the loop: a heartbeat that is there already counts.
      await nextTurn();
      this.#options.measure(this);
    }
    this.tell({ type: "due" });
  }

  #unwritten(error: unknown): void {
    this.#options.log.error({ err: error }, `agent ${this.name}: its journal could not be written`);
  }

  #note(text: string): void {
    const { name, logFile, log } = this.#options;
    logFile.write(Buffer.from(`[${new Date().toISOString()} ganglion-agent] ${text}\n`));
    log.debug(`agent ${name}: ${text}`);
  }
}
