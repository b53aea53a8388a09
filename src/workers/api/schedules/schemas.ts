import { RunReport, Schedule, SchedulePage, ScheduleRuns } from "../../../core/schedules/api.ts";
import { ScheduleInput } from "../../../core/schedules/settings.ts";
import { named } from "../http/schema-parts.ts";

export const ScheduleSchema = named("Schedule", Schedule);
export const SchedulesSchema = named("Schedules", SchedulePage);
export const ScheduleRunsSchema = named("ScheduleRuns", ScheduleRuns);
export const NewScheduleSchema = named("NewSchedule", ScheduleInput);
export const RunReportSchema = named("RunReport", RunReport);
