import type { Heartbeat } from "./heartbeat.ts";
import { hangsAtMs, type Judgement, judge, type Reading } from "./process-judgement.ts";
import type { Announcement, Desired, Phase, ProcessAction, ProcessEvent, ProcessView } from "./process-protocol.ts";
import { HUNG_STOP_MS, type ProcessRules, restartDelayMs } from "./process-rules.ts";
import {
  exceededLimit,
  type RunningProcess,
  resumedProcess,
  shiftedProcess,
  spawnedProcess,
  withHeartbeat,
  withReading,
} from "./running-process.ts";

interface Stopping {
  readonly why: "asked" | "failed";
  readonly killAtMs: number;
  readonly killed: boolean;
}

/**
 * One process that is kept running:
 * stopped → starting → up → (crash, hang, limit) → backing_off → starting …, → gave_up after too many in a row.
 *
 * Decides only: `handle` returns the actions to take, in order. All times are of one monotonic clock. Nothing here
 * depends on the edge, so an edge that cannot be reached stops no process.
 */
export class SupervisedProcess {
  readonly #rules: ProcessRules;
  #desired: Desired;
  #phase: Phase = "stopped";
  #running: RunningProcess | null = null;
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

  /** When to send `due`, unless another event comes first. */
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
      silent: running !== null && running.beat === null,
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
        return this.#failed({ reason: `the process could not be started: ${event.error}` }, nowMs);
      case "heartbeat":
        if (this.#running !== null) this.#running = withHeartbeat(this.#running, event.beat, nowMs);
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
    // A process that is being stopped is started again when it has ended.
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
    if (this.#running === null) return this.#phase === "starting" ? [] : this.#spawn("a restart was requested");
    this.#restartReason = "a restart was requested";
    return this.#terminate("asked", force ? 0 : this.#rules.stopMs, nowMs);
  }

  #spawn(restartReason: string | null): ProcessAction[] {
    this.#phase = "starting";
    this.#restartReason = restartReason;
    return [{ do: "spawn" }];
  }

  #spawned(pid: number, nowMs: number): ProcessAction[] {
    this.#running = spawnedProcess(pid, nowMs);
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
    // A stop was requested between the decision to start the process and its start.
    if (this.#desired === "stopped") actions.push(...this.#terminate("asked", this.#rules.stopMs, nowMs));
    return actions;
  }

  #measured(reading: Reading, nowMs: number): ProcessAction[] {
    if (this.#running === null) return [];
    this.#running = withReading(this.#running, reading, this.#rules, nowMs);
    if (this.#phase !== "up") return [];
    const exceeded = exceededLimit(this.#running, this.#rules, nowMs);
    if (exceeded === undefined) return [];
    const { pid, beat } = this.#running;
    this.#detail = exceeded.reason;
    return [
      announce("Q_PROCESS_LIMIT_EXCEEDED", { pid, ...exceeded, ...task(beat) }),
      ...this.#terminate("failed", this.#rules.stopMs, nowMs, `the ${exceeded.limit_of} limit was exceeded`),
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

  #hung(running: RunningProcess, reason: NonNullable<Judgement["reason"]>, nowMs: number): ProcessAction[] {
    const { pid, beat, beatMs } = running;
    const facts = { pid, reason, silent_ms: Math.round(nowMs - beatMs), ...task(beat) };
    if (reason === "stopped" && !running.resumed) {
      // A signal stopped the process. To continue it loses nothing; a restart would lose its work.
      this.#running = resumedProcess(running, nowMs);
      return [announce("Q_PROCESS_HUNG", { ...facts, action: "resumed" }), { do: "signal", signal: "SIGCONT" }];
    }
    this.#detail = `the process hung (${reason})`;
    // A stopped process does not receive SIGTERM.
    const patienceMs = reason === "stopped" ? 0 : HUNG_STOP_MS;
    return [
      announce("Q_PROCESS_HUNG", { ...facts, action: "restarted" }),
      ...this.#terminate("failed", patienceMs, nowMs, `the process hung (${reason})`),
    ];
  }

  /** @param patienceMs - time from SIGTERM to SIGKILL; 0 sends SIGKILL at once */
  #terminate(why: Stopping["why"], patienceMs: number, nowMs: number, reason?: string): ProcessAction[] {
    if (reason !== undefined) this.#restartReason = reason;
    if (this.#running === null) return []; // still starting: `spawned` checks the desired state
    this.#phase = "stopping";
    const before = this.#stopping;
    if (patienceMs === 0) {
      this.#stopping = { why, killAtMs: nowMs, killed: true };
      return before?.killed === true ? [] : [{ do: "signal", signal: "SIGKILL" }];
    }
    if (before !== null) {
      // SIGTERM was sent already: a second request does not extend the time until SIGKILL.
      this.#stopping = { ...before, why };
      return [];
    }
    this.#stopping = { why, killAtMs: nowMs + patienceMs, killed: false };
    // A stopped process receives SIGTERM only when it continues.
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
    // The supervisor ended the process, and has announced the reason already.
    if (stopping !== null) return this.#backOff(this.#restartReason ?? "the process failed", nowMs);
    const how = code === null ? `the process was ended by ${signal}` : `the process ended with code ${code}`;
    if (code === 0 && this.#rules.restart !== "always") return this.#rest("the process finished");
    const facts = { pid: running.pid, exit_code: code, exit_signal: signal, ...task(running.beat) };
    return this.#failed({ ...facts, uptime_ms: Math.round(nowMs - running.startedMs), reason: why ?? how }, nowMs);
  }

  #failed(facts: { readonly reason: string } & Record<string, unknown>, nowMs: number): ProcessAction[] {
    // A stop was requested meanwhile: a failed start is no failure.
    if (this.#desired === "stopped") return this.#rest(null);
    return [announce("Q_PROCESS_CRASHED", facts), ...this.#backOff(facts.reason, nowMs)];
  }

  #backOff(reason: string, nowMs: number): ProcessAction[] {
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
    if (this.#stopping !== null) this.#stopping = { ...this.#stopping, killAtMs: this.#stopping.killAtMs + byMs };
    if (this.#running !== null) this.#running = shiftedProcess(this.#running, byMs);
  }
}

function task(beat: Heartbeat | null): { task?: string } {
  return typeof beat?.task === "string" ? { task: beat.task } : {};
}

function announce(signal: Announcement, facts: Readonly<Record<string, unknown>>): ProcessAction {
  return { do: "announce", signal, facts };
}
