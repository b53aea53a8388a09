import { msOf, type ScheduleSettings } from "./settings.ts";
import type { Broken, LimitName, OpenRun, ScheduleState } from "./state.ts";

/** A limit began to be broken, or is kept again. */
export interface LimitChange {
  readonly limit: LimitName;
  readonly state: "raised" | "resolved";
  readonly broken: Broken;
}

/** When an open run breaks `late_start`; `undefined`: it cannot any more. */
export function startByMs({ dueMs, takenMs }: OpenRun, { limits }: ScheduleSettings): number | undefined {
  return limits.late_start === undefined || takenMs !== null ? undefined : dueMs + msOf(limits.late_start);
}

/** Runs within the time of `too_often`, up to now. */
function runsWithin({ madeMs }: ScheduleState, withinMs: number, nowMs: number): number[] {
  // A clock that was set back leaves times ahead of it: they count for nothing.
  return madeMs.filter((ms) => ms > nowMs - withinMs && ms <= nowMs);
}

/** When the limit `too_often` is kept again, if no run comes. */
export function calmAtMs(state: ScheduleState, { limits }: ScheduleSettings, nowMs: number): number | undefined {
  if (limits.too_often === undefined) return undefined;
  const { runs, within } = limits.too_often;
  const made = runsWithin(state, msOf(within), nowMs);
  const oldest = made[made.length - runs - 1];
  return oldest === undefined ? undefined : oldest + msOf(within);
}

type Judge = (state: ScheduleState, settings: ScheduleSettings, nowMs: number) => Broken | undefined;

const JUDGES: Readonly<Record<LimitName, Judge>> = {
  late_start: (state, settings, nowMs) => {
    const limit = settings.limits.late_start;
    if (limit === undefined) return undefined;
    const limitMs = msOf(limit);
    const { expectedMs, late } = state;
    if (expectedMs !== null && nowMs >= expectedMs + limitMs)
      return { sinceMs: expectedMs + limitMs, run: null, value: nowMs - expectedMs, limit: limitMs };
    for (const run of state.open) {
      const by = startByMs(run, settings);
      if (by !== undefined && nowMs >= by)
        return { sinceMs: by, run: run.id, value: nowMs - run.dueMs, limit: limitMs };
    }
    return late === null ? undefined : { sinceMs: nowMs, run: late.run, value: late.byMs, limit: limitMs };
  },
  late_finish: ({ open }, { limits }, nowMs) => {
    if (limits.late_finish === undefined) return undefined;
    const run = open.find(({ finishByMs }) => finishByMs !== null && nowMs >= finishByMs);
    if (run === undefined || run.finishByMs === null) return undefined;
    const limit = run.finishByMs - run.dueMs;
    return { sinceMs: run.finishByMs, run: run.id, value: nowMs - run.dueMs, limit };
  },
  too_fast: ({ fast }, { limits }, nowMs) =>
    fast === null || limits.too_fast === undefined
      ? undefined
      : { sinceMs: nowMs, run: fast.run, value: fast.tookMs, limit: msOf(limits.too_fast) },
  too_often: (state, { limits }, nowMs) => {
    if (limits.too_often === undefined) return undefined;
    const made = runsWithin(state, msOf(limits.too_often.within), nowMs);
    const { runs } = limits.too_often;
    return made.length <= runs ? undefined : { sinceMs: nowMs, run: null, value: made.length, limit: runs };
  },
};

/** Compares what is broken now with what is known to be, and notes it. Each limit is broken once until it is kept again. */
export function judge(state: ScheduleState, settings: ScheduleSettings, nowMs: number): LimitChange[] {
  for (const run of state.open) mark(run, settings, nowMs);
  const changes: LimitChange[] = [];
  for (const [limit, look] of Object.entries(JUDGES) as [LimitName, Judge][]) {
    const now = look(state, settings, nowMs);
    const known = state.broken[limit];
    if (now !== undefined && known === undefined) {
      state.broken[limit] = now;
      changes.push({ limit, state: "raised", broken: now });
    } else if (now === undefined && known !== undefined) {
      delete state.broken[limit];
      changes.push({ limit, state: "resolved", broken: known });
    }
  }
  return changes;
}

/** Notes in a run which of its limits are broken. */
export function mark(run: OpenRun, settings: ScheduleSettings, nowMs: number): void {
  const startBy = startByMs(run, settings);
  if (startBy !== undefined && nowMs >= startBy && !run.broke.includes("late_start")) run.broke.push("late_start");
  const { finishByMs } = run;
  if (finishByMs !== null && nowMs >= finishByMs && !run.broke.includes("late_finish")) run.broke.push("late_finish");
}
