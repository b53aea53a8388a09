import * as z from "zod";
import { type RunReport, Schedule, SchedulePage, ScheduleRuns } from "../core/schedules/api.ts";
import type { ScheduleInput } from "../core/schedules/settings.ts";
import { NoAnswer } from "./answers/no-answer.ts";
import type { CallEdge } from "./http/request.ts";

interface Calls {
  readonly call: CallEdge;
  readonly inside: (path: string) => string;
}

const Made = z.object({ run: z.string() });

export function scheduleCalls({ call, inside }: Calls) {
  const at = (name: string, path = "") => inside(`/schedules/${encodeURIComponent(name)}${path}`);
  const post = (name: string, path: string, body?: object) =>
    call(Schedule, { method: "POST", path: at(name, path), ...(body === undefined ? {} : { body }) });
  return {
    /** A page of them by name. @param after - `next` of the page before */
    list: (after?: string, limit = 100) =>
      call(SchedulePage, { path: inside("/schedules"), query: { limit, ...(after === undefined ? {} : { after }) } }),
    show: (name: string) => call(Schedule, { path: at(name) }),
    /** Makes the schedule, or replaces its settings. */
    put: (name: string, settings: ScheduleInput) => call(Schedule, { method: "PUT", path: at(name), body: settings }),
    /** Tasks that it has made stay. */
    remove: (name: string) => call(NoAnswer, { method: "DELETE", path: at(name) }),
    pause: (name: string) => post(name, "/pause"),
    resume: (name: string) => post(name, "/resume"),
    /** The newest first. */
    runs: async (name: string) => (await call(ScheduleRuns, { path: at(name, "/runs") })).runs,
    /** Makes a run now. @returns its id, and that of its task */
    run: async (name: string) => (await call(Made, { method: "POST", path: at(name, "/run") })).run,
    /** Of a job that runs elsewhere. With a `run` of its own a report may be sent again. */
    report: (name: string, report: RunReport) => post(name, "/runs", report),
    /** Of a job that runs elsewhere: it is alive. */
    heartbeat: (name: string) => post(name, "/heartbeat"),
  };
}
