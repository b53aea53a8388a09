import type { ScheduleFinding } from "../schedules/api.ts";
import { limitText } from "../schedules/limit-signal.ts";
import type { EcosystemState } from "./ecosystem-state.ts";
import { type Finding, look } from "./finding.ts";
import type { Absences } from "./hosts.ts";

/** Id of the finding about a limit of a schedule. */
export const scheduleLimit = (limit: ScheduleFinding["limit"], schedule: string) => `schedule_${limit}/${schedule}`;

const CONSEQUENCE: Readonly<Record<ScheduleFinding["limit"], string>> = {
  late_start: "its work is not done",
  late_finish: "later runs wait, are left out or run beside it, as its overlap says",
  too_fast: "its work may not have been done",
  too_often: "it goes on as often",
};

/** What needs somebody of schedules whose limits are broken. */
export function scheduleFindings({ schedules, ecosystem }: EcosystemState, absences: Absences): Finding[] {
  return (schedules ?? []).map((found) => findingOf(found, absences, ecosystem));
}

function findingOf(found: ScheduleFinding, absences: Absences, ecosystem: string): Finding {
  const { schedule, limit, outside, recipient, since, signal, run, value, allowed } = found;
  const silent = outside && limit === "late_start";
  const absence = limit === "late_start" && recipient !== null ? absences.ofRecipient(recipient) : undefined;
  return {
    id: scheduleLimit(limit, schedule),
    kind: `schedule_${limit}`,
    severity: silent ? "critical" : "warning",
    subject: schedule,
    what: silent ? `the job ${schedule} is silent` : `the schedule ${schedule} ${WHAT[limit]}`,
    why: limitText(schedule, limit, { run, value, limit: allowed }, outside),
    since,
    consequence: silent ? "nobody knows whether its work is done" : CONSEQUENCE[limit],
    next_step: `ganglion schedule runs ${schedule}`,
    action: look("Show its last runs", ecosystem, `/schedules/${encodeURIComponent(schedule)}/runs`),
    chain: signal,
    explainedBy: absence === undefined ? [] : [absence],
  };
}

const WHAT: Readonly<Record<ScheduleFinding["limit"], string>> = {
  late_start: "has a run that nobody takes",
  late_finish: "has a run that is not over",
  too_fast: "has a run that was done too fast",
  too_often: "runs too often",
};
