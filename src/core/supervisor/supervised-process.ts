import type { Heartbeat } from "./heartbeat.ts";
import { type Evidence, hangsAtMs, type Judgement, judge, type Reading } from "./process-judgement.ts";
import { HUNG_STOP_MS, type ProcessRules, restartDelayMs } from "./process-rules.ts";

/**
 * `started` and `stopped` were told by a person, and are kept across restarts of the supervisor. `on_demand`: nobody
 * has said anything; it runs when something wakes it.
 */
export type Desired = "started" | "stopped" | "on_demand";
export type Phase = "stopped" | "starting" | "up" | "stopping" | "backing_off" | "gave_up";

export type ProcessEvent =
  | { readonly type: "start" }
  /** By a schedule: what a person has stopped stays stopped. */
  | { readonly type: "wake" }
  | { readonly type: "stop"; readonly force: boolean }
  | { readonly type: "restart"; readonly force: boolean }
  | { readonly type: "spawned"; readonly pid: number }
  | { readonly type: "spawn_failed"; readonly error: string }
  | { readonly type: "heartbeat"; readonly beat: Heartbeat }
  | { readonly type: "measured"; readonly reading: Reading }
  /** `code` is null where a signal ended it; `why` is what is known besides. */
  | { readonly type: "exited"; readonly code: number | null; readonly signal: string | null; readonly why?: string }
  /** The time that `dueMs` named has come. What was measured and heard until now has been told before. */
  | { readonly type: "due" }
  /** The supervisor itself stood still: nobody listened meanwhile, so nobody was silent. */
  | { readonly type: "paused"; readonly forMs: number };

/** Signals about processes; facts are completed by the shell with host and name. */
export type Announcement =
  | "Q_PROCESS_CRASHED"
  | "Q_PROCESS_HUNG"
  | "Q_PROCESS_LIMIT_EXCEEDED"
  | "Q_PROCESS_RESTARTED"
  | "Q_PROCESS_GAVE_UP";

export type ProcessAction =
  | { readonly do: "spawn" }
  /** To the whole process group. */
  | { readonly do: "signal"; readonly signal: "SIGTERM" | "SIGKILL" | "SIGCONT" }
  | { readonly do: "announce"; readonly signal: Announcement; readonly facts: Readonly<Record<string, unknown>> };

export interface ProcessView {
  readonly phase: Phase;
  readonly desired: Desired;
  /** Of a process that exists; `dead` where there is none. */
  readonly verdict: Judgement["verdict"];
  readonly pid: number | null;
  readonly startedMs: number | null;
  readonly task: string | null;
  readonly memoryBytes: number | null;
  readonly cpuPercent: number | null;
  /** Since the supervisor began. */
  readonly restarts: number;
  /** Why it is not simply up: how it ended, what it is waiting for. */
  readonly detail: string | null;
}

interface Running extends Evidence {
  readonly pid: number;
  readonly memoryOverMs: number | null;
  readonly cpuOverMs: number | null;
  /** It was stopped by a signal and told to go on. Should that not have helped, it is replaced. */
  readonly resumed: boolean;
}

interface Stopping {
  readonly why: "asked" | "failed";
  readonly killAtMs: number;
  readonly killed: boolean;
}

const MIB = 1024 * 1024;

/**
 * One process that is kept running:
 * stopped → starting → up → (crash, hang, limit) → backing_off → starting …, → gave_up after too many in a row.
 *
 * It decides and does nothing itself: `handle` says what is to be done, in order. Times are those of one clock that
 * never goes back. Nothing in here knows of the edge, so an edge that is away cannot stop anything.
 */
export class SupervisedProcess {
  readonly #rules: ProcessRules;
  #desired: Desired;
  #phase: Phase = "stopped";
  #running: Running | null = null;
  #stopping: Stopping | null = null;
  #untilMs = 0;
  #inRow = 0;
  #restarts = 0;
  #failedMs = 0;
  #detail: string | null = null;
  /** Why the next start is a restart. */
  #restartReason: string | null = null;

  constructor(rules: ProcessRules, desired: Desired) {
    this.#rules = rules;
    this.#desired = desired;
  }

  get desired(): Desired {
    return this.#desired;
  }

  /** When `due` is to be told, if nothing else happens before. */
  get dueMs(): number | undefined {
    if (this.#stopping !== null) return this.#stopping.killed ? undefined : this.#stopping.killAtMs;
    if (this.#phase === "backing_off") return this.#untilMs;
    return this.#phase === "up" && this.#running !== null ? hangsAtMs(this.#running, this.#rules) : undefined;
  }

  view(nowMs: number): ProcessView {
    const running = this.#running;
    return {
      phase: this.#phase,
      desired: this.#desired,
      verdict: running === null ? "dead" : judge(running, this.#rules, nowMs).verdict,
      pid: running?.pid ?? null,
      startedMs: running?.startedMs ?? null,
      task: running?.beat?.task ?? null,
      memoryBytes: running?.reading?.memoryBytes ?? null,
      cpuPercent: running?.reading?.cpuPercent ?? null,
      restarts: this.#restarts,
      detail: this.#detail,
    };
  }

  handle(event: ProcessEvent, nowMs: number): ProcessAction[] {
    switch (event.type) {
      case "start":
        this.#desired = "started";
        return this.#start();
      case "wake":
        return this.#desired === "stopped" ? [] : this.#start();
      case "stop":
        return this.#stop(event.force, nowMs);
      case "restart":
        return this.#restart(event.force, nowMs);
      case "spawned":
        return this.#spawned(event.pid, nowMs);
      case "spawn_failed":
        return this.#failed({ reason: `it could not be started: ${event.error}` }, nowMs);
      case "heartbeat":
        this.#heard(event.beat, nowMs);
        return [];
      case "measured":
        return this.#measured(event.reading, nowMs);
      case "exited":
        return this.#exited(event.code, event.signal, event.why, nowMs);
      case "due":
        return this.#due(nowMs);
      case "paused":
        this.#shift(event.forMs);
        return [];
    }
  }

  #start(): ProcessAction[] {
    // One that is on its way out because it was asked to is started again when it is gone.
    if (this.#running !== null || this.#phase === "starting") return [];
    this.#inRow = 0;
    return this.#spawn(null);
  }

  #stop(force: boolean, nowMs: number): ProcessAction[] {
    this.#desired = "stopped";
    this.#restartReason = null;
    if (this.#running === null && this.#phase !== "starting") {
      this.#phase = "stopped";
      this.#detail = null;
      return [];
    }
    return this.#terminate("asked", force ? 0 : this.#rules.stopMs, nowMs);
  }

  #restart(force: boolean, nowMs: number): ProcessAction[] {
    this.#desired = "started";
    this.#inRow = 0;
    if (this.#running === null) return this.#phase === "starting" ? [] : this.#spawn("it was asked for");
    this.#restartReason = "it was asked for";
    return this.#terminate("asked", force ? 0 : this.#rules.stopMs, nowMs);
  }

  #spawn(restartReason: string | null): ProcessAction[] {
    this.#phase = "starting";
    this.#restartReason = restartReason;
    return [{ do: "spawn" }];
  }

  #spawned(pid: number, nowMs: number): ProcessAction[] {
    this.#running = {
      ...{ pid, startedMs: nowMs, beat: null, beatMs: nowMs, progressedMs: nowMs, reading: null, stoppedMs: null },
      ...{ memoryOverMs: null, cpuOverMs: null, resumed: false },
    };
    this.#phase = "up";
    this.#detail = null;
    const reason = this.#restartReason;
    this.#restartReason = null;
    const actions: ProcessAction[] = [];
    if (reason !== null) {
      this.#restarts += 1;
      const down = this.#failedMs === 0 ? {} : { down_ms: Math.round(nowMs - this.#failedMs) };
      actions.push(announce("Q_PROCESS_RESTARTED", { pid, reason, restarts_in_row: this.#inRow, ...down }));
    }
    this.#failedMs = 0;
    // It was asked to stop between the decision to start it and the start.
    if (this.#desired === "stopped") actions.push(...this.#terminate("asked", this.#rules.stopMs, nowMs));
    return actions;
  }

  #heard(beat: Heartbeat, nowMs: number): void {
    const running = this.#running;
    if (running === null) return;
    const last = running.beat;
    const moved = last?.state !== beat.state || last.task !== beat.task || last.progress !== beat.progress;
    const progressedMs = moved ? nowMs : running.progressedMs;
    this.#running = { ...running, beat, beatMs: nowMs, progressedMs, resumed: false };
  }

  #measured(reading: Reading, nowMs: number): ProcessAction[] {
    const running = this.#running;
    if (running === null) return [];
    const { memoryBytes, cpuPercent, limitMs } = this.#rules;
    const overMemory = memoryBytes !== null && reading.memoryBytes > memoryBytes;
    const overCpu = cpuPercent !== null && reading.cpuPercent > cpuPercent;
    this.#running = {
      ...running,
      reading,
      stoppedMs: reading.stopped ? (running.stoppedMs ?? nowMs) : null,
      resumed: running.resumed && reading.stopped,
      memoryOverMs: overMemory ? (running.memoryOverMs ?? nowMs) : null,
      cpuOverMs: overCpu ? (running.cpuOverMs ?? nowMs) : null,
    };
    if (this.#phase !== "up") return [];
    if (lasted(this.#running.memoryOverMs, limitMs, nowMs)) {
      const [used, limit] = [Math.round(reading.memoryBytes / MIB), Math.round((memoryBytes ?? 0) / MIB)];
      return this.#exceeded("memory", used, limit, `it used ${used} MiB of memory and may use ${limit}`, nowMs);
    }
    if (lasted(this.#running.cpuOverMs, limitMs, nowMs)) {
      const [used, limit] = [Math.round(reading.cpuPercent), cpuPercent ?? 0];
      return this.#exceeded("cpu", used, limit, `it used ${used} % of a processor and may use ${limit}`, nowMs);
    }
    return [];
  }

  #exceeded(what: "memory" | "cpu", used: number, limit: number, reason: string, nowMs: number): ProcessAction[] {
    const { pid, beat } = this.#running as Running;
    const facts = { pid, limit_of: what, used, limit, unit: what === "memory" ? "MiB" : "%", ...task(beat), reason };
    this.#detail = reason;
    return [
      announce("Q_PROCESS_LIMIT_EXCEEDED", facts),
      ...this.#terminate("failed", this.#rules.stopMs, nowMs, `its ${what} limit was exceeded`),
    ];
  }

  #due(nowMs: number): ProcessAction[] {
    if (this.#stopping !== null) {
      if (this.#stopping.killed || nowMs < this.#stopping.killAtMs) return [];
      this.#stopping = { ...this.#stopping, killed: true };
      return [{ do: "signal", signal: "SIGKILL" }];
    }
    if (this.#phase === "backing_off") return nowMs < this.#untilMs ? [] : this.#spawn(this.#restartReason);
    const running = this.#running;
    if (this.#phase !== "up" || running === null) return [];
    const { verdict, reason } = judge(running, this.#rules, nowMs);
    return verdict === "hung" && reason !== undefined ? this.#hung(running, reason, nowMs) : [];
  }

  #hung(running: Running, reason: NonNullable<Judgement["reason"]>, nowMs: number): ProcessAction[] {
    const { pid, beat, beatMs } = running;
    const facts = { pid, reason, silent_ms: Math.round(nowMs - beatMs), ...task(beat) };
    if (reason === "stopped" && !running.resumed) {
      // Somebody or something stopped it in the middle. Going on loses nothing; a restart would lose its work.
      this.#running = { ...running, resumed: true, beatMs: nowMs, progressedMs: nowMs, stoppedMs: null };
      return [announce("Q_PROCESS_HUNG", { ...facts, action: "resumed" }), { do: "signal", signal: "SIGCONT" }];
    }
    this.#detail = `it hung (${reason})`;
    // SIGTERM does not reach one that is stopped.
    const patienceMs = reason === "stopped" ? 0 : HUNG_STOP_MS;
    return [
      announce("Q_PROCESS_HUNG", { ...facts, action: "restarted" }),
      ...this.#terminate("failed", patienceMs, nowMs, `it hung (${reason})`),
    ];
  }

  /** @param patienceMs - from SIGTERM to SIGKILL; 0 kills at once */
  #terminate(why: Stopping["why"], patienceMs: number, nowMs: number, reason?: string): ProcessAction[] {
    if (reason !== undefined) this.#restartReason = reason;
    if (this.#running === null) return []; // still starting: `spawned` sees what is desired by then
    this.#phase = "stopping";
    const before = this.#stopping;
    if (patienceMs === 0) {
      this.#stopping = { why, killAtMs: nowMs, killed: true };
      return before?.killed === true ? [] : [{ do: "signal", signal: "SIGKILL" }];
    }
    if (before !== null) {
      // It has been told already, and its time runs: being asked twice is no reason for waiting longer.
      this.#stopping = { ...before, why };
      return [];
    }
    this.#stopping = { why, killAtMs: nowMs + patienceMs, killed: false };
    // One that is stopped takes SIGTERM only when it goes on.
    const wake: ProcessAction[] = this.#running.reading?.stopped ? [{ do: "signal", signal: "SIGCONT" }] : [];
    return [{ do: "signal", signal: "SIGTERM" }, ...wake];
  }

  #exited(code: number | null, signal: string | null, why: string | undefined, nowMs: number): ProcessAction[] {
    const running = this.#running;
    const stopping = this.#stopping;
    if (running === null) return [];
    this.#running = null;
    this.#stopping = null;
    if (nowMs - running.startedMs >= this.#rules.stableMs) this.#inRow = 0;
    if (this.#desired === "stopped") return this.#rest(null);
    if (stopping?.why === "asked") return this.#spawn(this.#restartReason);
    // It was ended for a reason that has been announced; that it is gone now says nothing new.
    if (stopping !== null) return this.#again(this.#restartReason ?? "it failed", nowMs);
    const how = why !== undefined ? why : code === null ? `it was ended by ${signal}` : `it ended with code ${code}`;
    if (code === 0 && this.#rules.restart !== "always") return this.#rest("it finished");
    const facts = { pid: running.pid, exit_code: code, exit_signal: signal, ...task(running.beat) };
    return this.#failed({ ...facts, uptime_ms: Math.round(nowMs - running.startedMs), reason: how }, nowMs);
  }

  #failed(facts: { readonly reason: string } & Record<string, unknown>, nowMs: number): ProcessAction[] {
    // A start that failed after a stop was asked for is no loss to anybody.
    if (this.#desired === "stopped") return this.#rest(null);
    return [announce("Q_PROCESS_CRASHED", facts), ...this.#again(facts.reason, nowMs)];
  }

  #again(reason: string, nowMs: number): ProcessAction[] {
    if (this.#rules.restart === "never") return this.#rest(reason);
    this.#detail = reason;
    this.#failedMs = nowMs;
    if (this.#inRow >= this.#rules.maxRestarts) {
      this.#phase = "gave_up";
      this.#restartReason = null;
      const facts = { reason, restarts_in_row: this.#inRow };
      return [announce("Q_PROCESS_GAVE_UP", facts)];
    }
    this.#inRow += 1;
    this.#phase = "backing_off";
    this.#untilMs = nowMs + restartDelayMs(this.#inRow);
    this.#restartReason = reason;
    return [];
  }

  #rest(detail: string | null): ProcessAction[] {
    this.#phase = "stopped";
    this.#detail = detail;
    this.#restartReason = null;
    return [];
  }

  #shift(byMs: number): void {
    const later = (ms: number | null) => (ms === null ? null : ms + byMs);
    const running = this.#running;
    if (this.#stopping !== null) this.#stopping = { ...this.#stopping, killAtMs: this.#stopping.killAtMs + byMs };
    if (running === null) return;
    this.#running = {
      ...running,
      beatMs: running.beatMs + byMs,
      progressedMs: running.progressedMs + byMs,
      stoppedMs: later(running.stoppedMs),
      memoryOverMs: later(running.memoryOverMs),
      cpuOverMs: later(running.cpuOverMs),
    };
  }
}

function lasted(sinceMs: number | null, limitMs: number, nowMs: number): boolean {
  return sinceMs !== null && nowMs - sinceMs >= limitMs;
}

function task(beat: Heartbeat | null): { task?: string } {
  return typeof beat?.task === "string" ? { task: beat.task } : {};
}

function announce(signal: Announcement, facts: Readonly<Record<string, unknown>>): ProcessAction {
  return { do: "announce", signal, facts };
}
