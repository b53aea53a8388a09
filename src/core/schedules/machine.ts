import { calmAtMs, judge, type LimitChange, startByMs } from "./limits.ts";
import { extendReported, type Report, takeBeat, takeReport } from "./reports.ts";
import { type Effects, type NoRun, type RunEnd, RunLedger, runId } from "./run-ledger.ts";
import { kindOf, msOf, type ScheduleSettings } from "./settings.ts";
import type { OpenRun, ScheduleState } from "./state.ts";
import { callAgainMs, callMs, lookAgainMs, lookMs } from "./waits.ts";

/** A run that is made so long after its time, in milliseconds, counts as missed: the edge was away. */
const ON_TIME_MS = 60_000;
/** More times than these cannot be due without one of them being missed. */
const ON_TIME_RUNS = 61;
/** A clock that was set back by more than this does not keep a schedule silent: its times begin anew. */
const SET_BACK_MS = 86_400_000;
/** A task that could not be handed over for so long is given up: beyond a day the queue would not recognise its id. */
const HAND_OVER_MS = 20 * 3_600_000;

/** What a queue says of a task. */
export interface TaskLook {
  readonly id: string;
  readonly takenMs: number | null;
  /** Until when its worker has it, unless the worker extends that; `null`: nobody has it. */
  readonly leasedUntilMs: number | null;
  readonly end: RunEnd | null;
}

/**
 * One schedule: makes runs at its times, follows them to their end and judges its limits. It changes the state that it is
 * given; the caller stores it together with {@link effects}. Does no I/O and has no clock.
 *
 * A time is over once `lastMs` has passed it, which is stored with the run that was made, and the id of a run follows from its
 * time: so each time has one run, whatever crashes in between.
 */
export class ScheduleMachine {
  readonly #ledger: RunLedger;
  readonly #spreadMs: number;

  /** @param spread - of the schedule's name, from 0 to below 1: the part of `spread` by which its runs are later */
  constructor(name: string, settings: ScheduleSettings, state: ScheduleState, spread: number) {
    this.#ledger = new RunLedger(name, settings, state);
    const mostMs = settings.spread === undefined ? 0 : msOf(settings.spread);
    this.#spreadMs = Math.floor((spread * mostMs) / 1_000) * 1_000;
  }

  get effects(): Effects {
    return this.#ledger.effects;
  }

  get #state(): ScheduleState {
    return this.#ledger.state;
  }

  /** Ids of tasks to ask their queue about before {@link advance}: what is decided now depends on them. */
  looks(nowMs: number): string[] {
    const handed = this.#state.open.filter((run) => run.handed);
    if (this.#ledger.kind !== "task" || handed.length === 0) return [];
    const due = (ms: number | null | undefined) => ms !== null && ms !== undefined && ms <= nowMs;
    const asked =
      due(lookMs(this.#state, nowMs)) ||
      due(this.#nextMs) ||
      handed.some((run) => due(startByMs(run, this.#ledger.settings)) || due(run.finishByMs));
    return asked ? handed.map(({ id }) => id) : [];
  }

  /** Takes in what the queue says of tasks. @param asked - those of them that the queue does not know are lost */
  observe(looks: readonly TaskLook[], asked: readonly string[], nowMs: number): void {
    const known = new Map(looks.map((look) => [look.id, look]));
    for (const id of asked) {
      const run = this.#ledger.find(id);
      if (run === undefined) continue;
      const look = known.get(id);
      if (look === undefined) this.#lost(run, "its queue does not know the task any more", nowMs);
      else {
        run.takenMs ??= look.takenMs;
        if (look.end !== null) this.#ledger.end(run, look.end);
        else if (look.leasedUntilMs !== null && look.leasedUntilMs > nowMs) this.#ledger.extend(run, nowMs);
      }
    }
    this.#state.lookMs = lookAgainMs(this.#state, nowMs);
  }

  /** Makes the runs that are due, lets one begin that waits, and judges the limits. */
  advance(nowMs: number): void {
    const state = this.#state;
    if (state.lastMs > nowMs + SET_BACK_MS) this.#setBack(nowMs);
    if (state.pausedMs === null) this.#makeDue(nowMs);
    for (const run of state.open.filter(({ handed, madeMs }) => !handed && madeMs <= nowMs - HAND_OVER_MS))
      this.#lost(run, "its queue did not take the task", nowMs);
    if (this.#ledger.kind === "outside") extendReported(this.#ledger, nowMs);
    this.#settle(nowMs);
  }

  /** @returns why there is no run now; `undefined`: there is one */
  runNow(id: string, nowMs: number): NoRun | undefined {
    if (this.#ledger.find(id) !== undefined || this.#state.last?.id === id) return undefined;
    const none = this.#ledger.begin({ id, timeMs: nowMs, dueMs: nowMs, by: "hand" }, nowMs);
    this.#settle(nowMs);
    return none;
  }

  report(report: Report, nowMs: number): void {
    takeReport(this.#ledger, report, nowMs);
    this.#settle(nowMs);
  }

  beat(nowMs: number): void {
    takeBeat(this.#ledger, nowMs);
    this.#settle(nowMs);
  }

  pause(paused: boolean, nowMs: number): void {
    const state = this.#state;
    if (paused === (state.pausedMs !== null)) return;
    state.pausedMs = paused ? nowMs : null;
    // What passed meanwhile was not missed. Nobody waits for a job that is paused.
    if (!paused) state.lastMs = Math.max(state.lastMs, nowMs);
    state.expectedMs = null;
    state.waiting = null;
    this.#settle(nowMs);
  }

  /** Other settings hold from now on. Runs that are open keep their tasks. */
  edited(before: ScheduleSettings, nowMs: number): void {
    const { settings, kind } = this.#ledger;
    const state = this.#state;
    if (settings.cron !== before.cron || settings.every !== before.every || settings.zone !== before.zone) {
      state.lastMs = Math.max(state.lastMs, nowMs);
      state.anchorMs = Math.floor(nowMs / 1_000) * 1_000;
      state.expectedMs = null;
    }
    if (kind !== kindOf(before) || settings.task?.queue !== before.task?.queue) {
      for (const run of [...state.open]) this.#lost(run, "the schedule was changed, and makes other runs", nowMs);
      state.expectedMs = null;
      state.waiting = null;
    }
    for (const run of state.open) run.finishByMs = this.#ledger.finishBy(run.dueMs);
    state.changedMs = nowMs;
    this.#settle(nowMs);
  }

  /** The schedule is deleted: nothing of it stays broken. */
  deleted(): void {
    for (const [limit, broken] of Object.entries(this.#state.broken) as [LimitChange["limit"], LimitChange["broken"]][])
      this.effects.limits.push({ limit, state: "resolved", broken });
  }

  /** Runs whose task the queue is to be given, after those that they replace were cancelled. */
  toHand(nowMs: number): OpenRun[] {
    const { open } = this.#state;
    if (!this.#mayCall(nowMs) || open.some(({ cancel }) => cancel === true)) return [];
    return open.filter(({ handed }) => !handed);
  }

  /** Runs whose task is to be cancelled. */
  toCancel(nowMs: number): OpenRun[] {
    return this.#mayCall(nowMs) ? this.#state.open.filter(({ cancel }) => cancel === true) : [];
  }

  /** The queue has the tasks of these runs. */
  handed(ids: readonly string[], nowMs: number): void {
    const state = this.#state;
    for (const run of state.open) if (ids.includes(run.id)) run.handed = true;
    state.retryMs = null;
    state.lookMs ??= lookAgainMs(state, nowMs);
  }

  /** The queue did not answer, or had no room. */
  notHanded(nowMs: number): void {
    this.#state.retryMs = callAgainMs(this.#state, nowMs);
  }

  /** The task of a run was cancelled, or had ended. */
  cancelled(id: string, nowMs: number): void {
    const run = this.#ledger.find(id);
    if (run === undefined) return;
    this.#ledger.end(run, { endedMs: nowMs, outcome: "cancelled", ranMs: null, why: "a later run took its place" });
    this.#state.retryMs = null;
    this.#settle(nowMs);
  }

  /** When something is to be done next; `undefined`: only when something comes. */
  dueMs(nowMs: number): number | undefined {
    const state = this.#state;
    const { settings, kind } = this.#ledger;
    const calls = kind === "task" && state.open.some(({ handed, cancel }) => !handed || cancel === true);
    const times: (number | undefined | null)[] = [
      calls ? (callMs(state, nowMs) ?? nowMs) : undefined,
      this.#nextMs,
      kind === "task" ? lookMs(state, nowMs) : undefined,
      state.broken.too_often === undefined ? undefined : calmAtMs(state, settings, nowMs),
      state.expectedMs === null || state.broken.late_start !== undefined
        ? undefined
        : state.expectedMs + msOf(settings.limits.late_start ?? ""),
      ...state.open.flatMap((run) => [
        this.#isTold(run, "late_start") ? undefined : startByMs(run, settings),
        this.#isTold(run, "late_finish") ? undefined : run.finishByMs,
      ]),
    ];
    const due = times.filter((time) => time !== undefined && time !== null);
    return due.length === 0 ? undefined : Math.min(...due);
  }

  /** The next time of the schedule at which it acts; `undefined`: none. */
  get #nextMs(): number | undefined {
    const { pausedMs, lastMs, expectedMs } = this.#state;
    // Of a job that is silent already, a further time that passes changes nothing.
    if (pausedMs !== null || expectedMs !== null) return undefined;
    const next = this.#ledger.times.next(lastMs);
    return next === undefined ? undefined : next + this.#spreadMs;
  }

  /** The limit is known to be broken, by this run, too: its time needs no look. After a clock was set back it does again. */
  #isTold(run: OpenRun, limit: LimitChange["limit"]): boolean {
    return run.broke.includes(limit) && this.#state.broken[limit] !== undefined;
  }

  #mayCall(nowMs: number): boolean {
    const retryMs = callMs(this.#state, nowMs);
    return this.#ledger.kind === "task" && (retryMs === null || retryMs <= nowMs);
  }

  #makeDue(nowMs: number): void {
    const { state, times, settings, kind, name } = this.#ledger;
    const { lastMs: wasMs } = state;
    const throughMs = nowMs - this.#spreadMs;
    const due = times.between(wasMs, throughMs, settings.catch_up + ON_TIME_RUNS);
    const newest = due.at(-1);
    if (newest === undefined) return;
    state.lastMs = newest;
    if (kind === "outside") {
      // The job itself makes up for what it missed: one time of all is waited for, and none while it runs. While the edge was
      // away nobody could report.
      const sinceMs = newest < nowMs - ON_TIME_MS ? nowMs : newest;
      if (state.open.length === 0 || settings.overlap === "allow") state.expectedMs ??= sinceMs;
      return;
    }
    const late = due.filter((time) => time + this.#spreadMs < nowMs - ON_TIME_MS);
    const made = settings.catch_up === 0 ? [] : late.slice(-settings.catch_up);
    const onTime = due.slice(late.length);
    this.#missed(wasMs, made[0] ?? onTime[0] ?? throughMs + 1, nowMs);
    for (const timeMs of [...made, ...onTime]) {
      const by = onTime.includes(timeMs) ? "time" : "catch_up";
      this.#ledger.begin({ id: runId(name, timeMs), timeMs, dueMs: timeMs + this.#spreadMs, by }, nowMs);
    }
  }

  /** One note for all times that are not made up for. */
  #missed(afterMs: number, beforeMs: number, nowMs: number): void {
    const { times, name } = this.#ledger;
    const timeMs = times.next(afterMs);
    if (timeMs === undefined || timeMs >= beforeMs) return;
    const through = times.between(afterMs, beforeMs - 1, 1).at(-1);
    this.#ledger.note({ id: runId(name, timeMs), timeMs, by: "time" }, nowMs, "missed", "the edge was away", through);
  }

  /** What lay ahead by the clock of before begins now. */
  #setBack(nowMs: number): void {
    const state = this.#state;
    state.lastMs = nowMs;
    state.anchorMs = Math.min(state.anchorMs, nowMs);
    state.expectedMs = null;
    state.retryMs = null;
    state.lookMs = state.open.length === 0 ? null : nowMs;
    for (const run of state.open) {
      run.dueMs = Math.min(run.dueMs, nowMs);
      run.madeMs = Math.min(run.madeMs, nowMs);
      run.finishByMs = this.#ledger.finishBy(run.dueMs);
    }
  }

  #lost(run: OpenRun, why: string, nowMs: number): void {
    this.#ledger.end(run, { endedMs: nowMs, outcome: "lost", ranMs: null, why });
  }

  #settle(nowMs: number): void {
    const state = this.#state;
    const { waiting } = state;
    if (waiting !== null && state.open.length === 0) {
      state.waiting = null;
      this.#ledger.begin({ ...waiting, dueMs: nowMs }, nowMs);
    }
    this.effects.limits.push(...judge(state, this.#ledger.settings, nowMs));
  }
}
