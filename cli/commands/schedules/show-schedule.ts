import type { Command } from "commander";
import type { Schedule, ScheduleRun } from "../../../src/core/schedules/api.ts";
import type { Column } from "../../output.ts";
import { at, print, printFields } from "../../output.ts";
import { wantsJson } from "../../settings.ts";

/** What a run of a schedule is, in a word or two. */
const makes = ({ task, signal }: Schedule) =>
  task !== undefined ? `task for ${task.recipient}` : signal !== undefined ? signal.signal : "elsewhere";

const when = ({ cron, every, zone }: Schedule) => (cron === undefined ? `every ${every}` : `${cron} ${zone}`);

const stateOf = ({ paused, broken, open }: Schedule) => {
  if (broken.length > 0) return broken.map(({ limit }) => limit.replace("_", " ")).join(", ");
  if (paused) return "paused";
  return open.length === 0 ? "ok" : (open[0]?.state ?? "");
};

export const scheduleColumns: readonly Column<Schedule>[] = [
  ["NAME", ({ name }) => name, "key"],
  ["STATE", stateOf, "state"],
  ["NEXT", ({ next_at }) => at(next_at)],
  ["LAST", ({ last }) => (last === null ? "" : `${last.state} ${at(last.ended_at)}`)],
  ["MAKES", makes, "text"],
  ["WHEN", when],
];

export const runColumns: readonly Column<ScheduleRun>[] = [
  ["TIME", ({ time, through }) => (through === undefined ? at(time) : `${at(time)} to ${at(through)}`), "key"],
  ["STATE", ({ state }) => state, "state"],
  ["BY", ({ by }) => by],
  ["TAKEN", ({ taken_at }) => at(taken_at)],
  ["ENDED", ({ ended_at }) => at(ended_at)],
  ["BROKE", ({ broke }) => broke.join(" ")],
  ["WHY", ({ why }) => why, "text"],
];

export async function showSchedule(schedule: Schedule, command: Command): Promise<void> {
  if (wantsJson(command)) return print(JSON.stringify(schedule));
  const { name, description, overlap, catch_up, spread, limits, next_at, last, open } = schedule;
  await printFields({
    name,
    description,
    when: when(schedule),
    makes: makes(schedule),
    state: stateOf(schedule),
    next: next_at,
    open: open.map(({ run, state }) => `${run} (${state})`).join(", "),
    last: last === null ? undefined : `${last.run} (${last.state})`,
    overlap,
    "catch up": catch_up,
    spread,
    limits: Object.entries(limits)
      .map(
        ([limit, value]) =>
          `${limit.replaceAll("_", " ")} ${typeof value === "object" ? `${value.runs}/${value.within}` : value}`,
      )
      .join(", "),
  });
}
