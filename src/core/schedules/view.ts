import { formatTimestamp } from "../signals/timestamp.ts";
import type { BrokenLimit, Schedule, ScheduleFinding, ScheduleRun } from "./api.ts";
import { kindOf, type ScheduleSettings } from "./settings.ts";
import type { Broken, EndedRun, LimitName, OpenRun, ScheduleState } from "./state.ts";
import { ScheduleTimes } from "./times.ts";

const at = (ms: number | null) => (ms === null ? null : formatTimestamp(ms));

export function scheduleView(name: string, settings: ScheduleSettings, state: ScheduleState): Schedule {
  const { paused: _, ...rest } = settings;
  const next = state.pausedMs === null ? new ScheduleTimes(settings, state.anchorMs).next(state.lastMs) : undefined;
  return {
    name,
    ...rest,
    paused: state.pausedMs !== null,
    created_at: formatTimestamp(state.createdMs),
    changed_at: formatTimestamp(state.changedMs),
    next_at: at(next ?? null),
    open: openViews(state),
    broken: brokenOf(state).map(([limit, broken]) => brokenView(limit, broken)),
    last: state.last === null ? null : endedView(state.last),
  };
}

/** Runs that are not over, the newest first. */
export function openViews({ open, waiting }: ScheduleState): ScheduleRun[] {
  const waits: ScheduleRun[] =
    waiting === null
      ? []
      : [
          {
            run: waiting.id,
            time: formatTimestamp(waiting.timeMs),
            by: waiting.by,
            state: "waiting",
            made_at: null,
            taken_at: null,
            ended_at: null,
            broke: [],
          },
        ];
  return [...waits, ...open.map(openView).reverse()];
}

const openView = ({ id, timeMs, by, madeMs, takenMs, broke }: OpenRun): ScheduleRun => ({
  run: id,
  time: formatTimestamp(timeMs),
  by,
  state: takenMs === null ? "queued" : "running",
  made_at: at(madeMs),
  taken_at: at(takenMs),
  ended_at: null,
  broke,
});

export const endedView = ({
  id,
  timeMs,
  throughMs,
  by,
  madeMs,
  takenMs,
  endedMs,
  outcome,
  why,
  broke,
}: EndedRun): ScheduleRun => ({
  run: id,
  time: formatTimestamp(timeMs),
  ...(throughMs === undefined ? {} : { through: formatTimestamp(throughMs) }),
  by,
  state: outcome,
  made_at: at(madeMs),
  taken_at: at(takenMs),
  ended_at: at(endedMs),
  ...(why === undefined ? {} : { why }),
  broke,
});

const brokenOf = ({ broken }: ScheduleState) =>
  (Object.entries(broken) as [LimitName, Broken | undefined][]).flatMap(([limit, one]): [LimitName, Broken][] =>
    one === undefined ? [] : [[limit, one]],
  );

const brokenView = (limit: LimitName, { sinceMs, run, value, limit: allowed }: Broken): BrokenLimit => ({
  limit,
  since: formatTimestamp(sinceMs),
  run,
  value,
  allowed,
});

export const findingsIn = (name: string, settings: ScheduleSettings, state: ScheduleState): ScheduleFinding[] =>
  brokenOf(state).map(([limit, broken]) => ({
    schedule: name,
    outside: kindOf(settings) === "outside",
    recipient: settings.task?.recipient ?? null,
    queue: settings.task?.queue ?? null,
    ...brokenView(limit, broken),
    signal: broken.signal ?? null,
  }));
