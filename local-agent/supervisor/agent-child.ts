import type { ChildProcess } from "node:child_process";
import { randomUUID } from "node:crypto";
import { setImmediate as nextTurn } from "node:timers/promises";
import { MAX_HEARTBEAT_BYTES, readHeartbeat } from "../../src/core/supervisor/heartbeat.ts";
import type { Reading } from "../../src/core/supervisor/process-judgement.ts";
import type {
  Announcement,
  Desired,
  ProcessAction,
  ProcessEvent,
  ProcessView,
} from "../../src/core/supervisor/process-protocol.ts";
import type { ProcessRules } from "../../src/core/supervisor/process-rules.ts";
import { SupervisedProcess } from "../../src/core/supervisor/supervised-process.ts";
import type { Logger } from "../base/log.ts";
import { LineSplitter } from "../base/process/output.ts";
import { identify, signalGroup, signalProcess } from "../base/process/process-group.ts";
import type { AgentOutput } from "./agent-logs.ts";
import { type Cgroups, cappedByLimits, type EnforcedLimits, NO_ENFORCED_LIMITS } from "./cgroups.ts";
import { endRest } from "./end-rest.ts";
import type { SupervisorJournal } from "./journal.ts";
import { type AgentDefinition, rulesOf } from "./settings.ts";
import { type AgentEnvironment, spawnAgent, spawnProblem } from "./spawn-agent.ts";

export interface AgentChildOptions {
  readonly name: string;
  readonly definition: AgentDefinition;
  readonly environment: AgentEnvironment;
  readonly journal: SupervisorJournal;
  readonly logFile: AgentOutput;
  readonly cgroups: Cgroups | undefined;
  readonly log: Logger;
  readonly desired: Desired;
  /** Measures this process now, and calls its `measured`. */
  readonly measure: (child: AgentChild) => void;
  readonly announce: (name: string, signal: Announcement, facts: Readonly<Record<string, unknown>>) => void;
  /** @param urgent - the process started, ended or hung; otherwise only its task changed */
  readonly onChange: (urgent: boolean) => void;
}

/** A timer that is later than this means that this program was suspended, not that the process is silent. */
const OWN_PAUSE_MS = 2_000;
const LONGEST_TIMER_MS = 2 ** 31 - 1;
/** Time to read the output that an ended process left in its pipes. */
const DRAIN_MS = 200;
const MAX_MESSAGES = 100;
const HEARTBEAT_REQUEST = `${JSON.stringify({ type: "heartbeat_request" })}\n`;

/** One agent as a child process: executes the actions of a {@link SupervisedProcess}, and reports events to it. */
export class AgentChild {
  readonly name: string;
  readonly definition: AgentDefinition;
  readonly #options: AgentChildOptions;
  readonly #rules: ProcessRules;
  readonly #process: SupervisedProcess;
  readonly #settled = new Set<() => void>();
  #child: ChildProcess | undefined;
  #enforced: EnforcedLimits = NO_ENFORCED_LIMITS;
  #timer: NodeJS.Timeout | undefined;
  #messages: string[] = [];

  constructor(options: AgentChildOptions) {
    this.#options = options;
    this.name = options.name;
    this.definition = options.definition;
    this.#rules = rulesOf(options.definition);
    this.#process = new SupervisedProcess(this.#rules, options.desired);
  }

  /** Process id of the agent, which leads its process group. */
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

  handle(event: ProcessEvent): void {
    const before = this.view();
    for (const action of this.#process.handle(event, performance.now())) this.#execute(action);
    this.#arm();
    const { phase, verdict, silent, task, pid } = this.view();
    if (before.phase !== phase || before.pid !== pid) this.#options.onChange(true);
    else if (before.verdict !== verdict || before.silent !== silent || before.task !== task)
      this.#options.onChange(false);
    if (phase !== "starting" && phase !== "stopping") for (const settle of this.#settled) settle();
  }

  measured(reading: Reading): void {
    this.handle({ type: "measured", reading: cappedByLimits(reading, this.#rules, this.#enforced) });
  }

  /** Resolves when the process is neither starting nor stopping. */
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

  /** Writes a line of JSON to the agent's standard input, now or when the agent has started. */
  send(message: unknown): void {
    const line = `${JSON.stringify(message)}\n`;
    if (this.#child?.stdin?.writable) this.#child.stdin.write(line);
    else if (this.#messages.push(line) > MAX_MESSAGES) this.#messages.shift();
  }

  /** For the exit of this program, which can wait for nothing. Processes that left the group are ended at its next start. */
  kill(): void {
    if (this.pid !== undefined) signalGroup(this.pid, "SIGKILL");
  }

  /** Clears the timer and writes the rest of the log. Stop the process first. */
  close(): Promise<void> {
    clearTimeout(this.#timer);
    return this.#options.logFile.flush();
  }

  #execute(action: ProcessAction): void {
    switch (action.do) {
      case "spawn":
        void this.#spawn();
        return;
      case "signal":
        if (this.pid === undefined) return;
        this.#note(`${action.signal} was sent`);
        // A master that is asked to stop lets its children finish; what is left of the group is asked when it has ended.
        if (action.signal === "SIGTERM" && this.definition.stop_signal_to === "process")
          signalProcess(this.pid, action.signal);
        else signalGroup(this.pid, action.signal);
        return;
      case "announce":
        this.#options.announce(this.name, action.signal, action.facts);
        return;
    }
  }

  async #spawn(): Promise<void> {
    const { name, definition, environment, journal } = this.#options;
    const run = `${name}.${randomUUID()}`;
    // A full disk must not keep agents from starting.
    await journal.begin(name, run).catch((error: unknown) => this.#journalFailed(error));
    try {
      const { child, heartbeat } = spawnAgent(name, definition, environment, this.#rules.heartbeatMs, run);
      await new Promise<void>((resolve, reject) => {
        child.once("error", reject);
        child.once("spawn", resolve);
      });
      // Nothing is lost: the streams are paused until a listener is added.
      this.#attach(child, run);
      const lines = new LineSplitter((line) => this.#receive(line));
      heartbeat.on("data", (chunk: Buffer) => lines.write(chunk));
      child.once("exit", () => heartbeat.destroy());
    } catch (error) {
      await journal.ended(name, run).catch((cause: unknown) => this.#journalFailed(cause));
      this.handle({ type: "spawn_failed", error: spawnProblem(error, definition, environment.directory) });
    }
  }

  #attach(child: ChildProcess, run: string): void {
    const { name, journal, logFile, cgroups } = this.#options;
    const pid = child.pid as number;
    this.#enforced = cgroups?.admit(name, pid, run, this.#rules) ?? NO_ENFORCED_LIMITS;
    this.#child = child;
    child.stdout?.on("data", (chunk: Buffer) => logFile.write(chunk));
    child.stderr?.on("data", (chunk: Buffer) => logFile.write(chunk));
    const failed = (error: unknown) => this.#journalFailed(error);
    const identity = identify(pid);
    if (identity !== undefined) journal.started(name, run, identity).catch(failed);
    child.once("exit", (code, signal) => {
      const drained = setTimeout(() => {
        child.stdout?.destroy();
        child.stderr?.destroy();
      }, DRAIN_MS);
      child.once("close", () => clearTimeout(drained));
      this.#note(code === null ? `process ${pid} was ended by ${signal}` : `process ${pid} ended with code ${code}`);
      void this.#ended(pid, run, code, signal);
    });
    this.#note(`process ${pid} was started`);
    for (const line of this.#messages.splice(0)) child.stdin?.write(line);
    this.#askRegularly(child);
    this.handle({ type: "spawned", pid });
  }

  /** A program that does not read its input any more is hung before its pipe is full. */
  #askRegularly(child: ChildProcess): void {
    const request = this.definition.heartbeat_request;
    if (request === undefined) return;
    const asking = setInterval(() => {
      if (this.#child === child && child.stdin?.writable) child.stdin.write(HEARTBEAT_REQUEST);
    }, request.every_seconds * 1_000);
    child.once("exit", () => clearInterval(asking));
  }

  async #ended(pid: number, run: string, code: number | null, signal: NodeJS.Signals | null): Promise<void> {
    const { name, journal, cgroups } = this.#options;
    // Until SIGKILL is due, processes of a stopped agent may finish what they do. A failed agent's end at once.
    const mayWait = () => this.view().phase === "stopping" && this.#process.dueMs !== undefined;
    const escaped = await endRest({ pid, run, mayWait }).catch((error: unknown) => {
      this.#options.log.error({ err: error }, `agent ${name}: what its process left behind could not be ended`);
      return 0;
    });
    const outOfMemory = cgroups?.dismiss(name) === true && signal === "SIGKILL";
    this.#child = undefined;
    journal.ended(name, run).catch((error: unknown) => this.#journalFailed(error));
    const how = code === null ? `was ended by ${signal}` : `ended with code ${code}`;
    const left = `the process ${how} and left others outside of its group, which were ended: run it in the foreground`;
    if (escaped > 0) this.#note(`${escaped} groups of processes that had left the agent's group were ended`);
    const why = outOfMemory
      ? "the process used more memory than its limit, and the kernel ended it"
      : escaped > 0
        ? left
        : undefined;
    this.handle({ type: "exited", code, signal, ...(why !== undefined && { why }) });
  }

  #receive(line: string): void {
    const beat = line.length > MAX_HEARTBEAT_BYTES ? undefined : readHeartbeat(line);
    if (beat !== undefined) this.handle({ type: "heartbeat", beat });
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
      // This program was suspended, and perhaps the process with it: the heartbeat interval starts again.
      if (lateMs > OWN_PAUSE_MS) return this.handle({ type: "paused", forMs: lateMs + this.#rules.heartbeatMs });
      // Timers run before input in a turn of the event loop: a heartbeat that has arrived already must count.
      await nextTurn();
      this.#options.measure(this);
    }
    this.handle({ type: "due" });
  }

  #journalFailed(error: unknown): void {
    this.#options.log.error({ err: error }, `agent ${this.name}: the journal could not be written`);
  }

  #note(text: string): void {
    const { name, logFile, log } = this.#options;
    logFile.write(Buffer.from(`[${new Date().toISOString()} ganglion-agent] ${text}\n`));
    log.debug(`agent ${name}: ${text}`);
  }
}
