import { type LimitChange, mark } from "./limits.ts";
import { kindOf, MAX_OPEN, msOf, type ScheduleKind, type ScheduleSettings } from "./settings.ts";
import type { By, EndedRun, OpenRun, ScheduleState } from "./state.ts";
import { ScheduleTimes } from "./times.ts";

/** An extension of a run that is alive lasts a quarter of its limit, and a minute at least. */
const MIN_EXTENSION_MS = 60_000;
const WHY_CHARS = 500;

/** What follows from a change, to be stored together with the state. */
export interface Effects {
  readonly limits: LimitChange[];
  readonly ended: EndedRun[];
  /** Runs that are a signal each, to be emitted. */
  readonly emit: OpenRun[];
}

/** How a run ended. */
export interface RunEnd {
  readonly endedMs: number;
  readonly outcome: EndedRun["outcome"];
  /** How long it took; `null`: it was not measured. */
  readonly ranMs: number | null;
  readonly why?: string | undefined;
}

/** A run that is wanted. */
export interface WantedRun {
  readonly id: string;
  readonly timeMs: number;
  readonly dueMs: number;
  readonly by: By;
}

/** Why there is no run; `waits`: there will be one. */
export type NoRun = { readonly skipped: string } | { readonly waits: true };

/** The runs of one schedule: begins them, as the overlap allows, and ends them. */
export class RunLedger {
  readonly effects: Effects = { limits: [], ended: [], emit: [] };
  readonly name: string;
  readonly settings: ScheduleSettings;
  readonly state: ScheduleState;
  #times: { readonly anchorMs: number; readonly times: ScheduleTimes } | undefined;

  constructor(name: string, settings: ScheduleSettings, state: ScheduleState) {
    this.name = name;
    this.settings = settings;
    this.state = state;
  }

  get times(): ScheduleTimes {
    const { anchorMs } = this.state;
    if (this.#times?.anchorMs !== anchorMs)
      this.#times = { anchorMs, times: new ScheduleTimes(this.settings, anchorMs) };
    return this.#times.times;
  }

  get kind(): ScheduleKind {
    return kindOf(this.settings);
  }

  find(id: string): OpenRun | undefined {
    return this.state.open.find((run) => run.id === id);
  }

  newRun({ id, timeMs, dueMs, by }: WantedRun, nowMs: number): OpenRun {
    const run = { id, timeMs, dueMs, by, madeMs: nowMs, handed: false, takenMs: null };
    return { ...run, finishByMs: this.finishBy(dueMs), broke: [] };
  }

  /** @returns why there is no run now; `undefined`: there is one */
  begin(wanted: WantedRun, nowMs: number): NoRun | undefined {
    if (this.kind === "signal") {
      this.#emit(wanted, nowMs);
      return undefined;
    }
    const none = this.#overlap(wanted);
    if (none !== undefined) {
      if ("skipped" in none) this.note(wanted, nowMs, "skipped", none.skipped);
      return none;
    }
    this.state.open.push(this.newRun(wanted, nowMs));
    this.count(nowMs);
    return undefined;
  }

  end(run: OpenRun, { endedMs, outcome, ranMs, why }: RunEnd): void {
    const { state, settings } = this;
    state.open = state.open.filter(({ id }) => id !== run.id);
    if (state.open.length === 0) state.lookMs = null;
    mark(run, settings, endedMs);
    const { too_fast } = settings.limits;
    if (outcome === "complete" && too_fast !== undefined && ranMs !== null) {
      const fast = ranMs < msOf(too_fast);
      state.fast = fast ? { run: run.id, tookMs: ranMs } : null;
      if (fast) run.broke.push("too_fast");
    }
    const { id, timeMs, by, madeMs, takenMs, broke } = run;
    const reason = why === undefined ? {} : { why: why.slice(0, WHY_CHARS) };
    this.#close({ id, timeMs, by, madeMs, takenMs, endedMs, outcome, broke, ...reason });
  }

  /** Notes a time at which there is no run. @param throughMs - the last of several such times */
  note(
    { id, timeMs, by }: Pick<WantedRun, "id" | "timeMs" | "by">,
    nowMs: number,
    outcome: "skipped" | "missed",
    why: string,
    throughMs = timeMs,
  ): void {
    const through = throughMs === timeMs ? {} : { throughMs };
    this.#close({ id, timeMs, by, madeMs: nowMs, takenMs: null, endedMs: nowMs, outcome, why, broke: [], ...through });
  }

  /** Counts a run for the limit `too_often`. */
  count(nowMs: number): void {
    const { too_often } = this.settings.limits;
    this.state.madeMs = too_often === undefined ? [] : [...this.state.madeMs, nowMs].slice(-too_often.runs - 1);
  }

  finishBy(dueMs: number): number | null {
    const { late_finish } = this.settings.limits;
    return late_finish === undefined ? null : dueMs + msOf(late_finish);
  }

  /** Of a run that is alive: its finish limit moves when it has come, up to its maximum. */
  extend(run: OpenRun, nowMs: number): void {
    const { extend_up_to } = this.settings.limits;
    if (extend_up_to === undefined || run.finishByMs === null || run.finishByMs > nowMs) return;
    const mostMs = run.dueMs + msOf(extend_up_to);
    run.finishByMs = Math.max(run.finishByMs, Math.min(nowMs + this.extensionMs, mostMs));
  }

  get extensionMs(): number {
    return Math.max(MIN_EXTENSION_MS, msOf(this.settings.limits.late_finish ?? "") / 4);
  }

  #emit({ id, timeMs, dueMs, by }: WantedRun, nowMs: number): void {
    const { state, settings } = this;
    this.count(nowMs);
    const limit = settings.limits.late_start;
    const late = limit !== undefined && nowMs >= dueMs + msOf(limit);
    state.late = late ? { run: id, byMs: nowMs - dueMs } : null;
    this.effects.emit.push(this.newRun({ id, timeMs, dueMs, by }, nowMs));
    const times = { timeMs, madeMs: nowMs, takenMs: nowMs, endedMs: nowMs };
    this.#close({ id, by, ...times, outcome: "emitted", broke: late ? ["late_start"] : [] });
  }

  /** Decides about a run that comes before an earlier one is over. */
  #overlap({ id, timeMs, by }: WantedRun): NoRun | undefined {
    const { state } = this;
    const [first] = state.open;
    if (first === undefined) return undefined;
    const { overlap } = this.settings;
    if (overlap === "skip") return { skipped: `the run ${first.id} is not over` };
    if (overlap === "queue") {
      if (state.waiting !== null) return { skipped: `the run ${first.id} is not over, and another waits for its end` };
      state.waiting = { id, timeMs, by };
      return { waits: true };
    }
    if (state.open.length >= MAX_OPEN) return { skipped: `${MAX_OPEN} runs are not over` };
    if (overlap === "replace") for (const run of state.open) run.cancel = true;
    return undefined;
  }

  #close(ended: EndedRun): void {
    this.state.last = ended;
    this.effects.ended.push(ended);
  }
}

/** Id of the run of a time, and of its task: the same whenever it is made. */
export const runId = (name: string, timeMs: number): string =>
  `schedule/${name}/${new Date(timeMs).toISOString().replace(/\.000Z$/, "Z")}`;
