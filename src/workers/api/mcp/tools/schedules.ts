import * as z from "zod";
import { Schedule, SchedulePage, ScheduleRuns } from "../../../../core/schedules/api.ts";
import { SCHEDULE_NAME, SCHEDULE_RULE, ScheduleInput } from "../../../../core/schedules/settings.ts";
import { path } from "../edge-calls.ts";
import { defineTool, READS } from "../tool.ts";

const name = z
  .string()
  .regex(SCHEDULE_NAME, SCHEDULE_RULE)
  .meta({ description: "Name of the schedule", example: "nightly" });

const listSchedules = defineTool({
  name: "list_schedules",
  title: "Look at the schedules",
  description:
    "Lists what is done at certain times, by name: the next time, runs that are not over, and limits that are broken now, which need " +
    "somebody.",
  operations: ["listSchedules"],
  scopes: ["tasks:read"],
  annotations: READS,
  args: z.strictObject({
    limit: z.int().min(1).max(100).default(20).meta({ description: "Most schedules; default 20" }),
    after: z.string().max(64).optional().meta({ description: "`next` of the page before" }),
  }),
  answer: SchedulePage,
  run: (query, edge) => edge({ method: "GET", path: "/schedules", query }),
});

const listScheduleRuns = defineTool({
  name: "list_schedule_runs",
  title: "Look at the runs of a schedule",
  description: "Lists the last runs of a schedule, the newest first, and the times at which there was none, with why.",
  operations: ["listScheduleRuns"],
  scopes: ["tasks:read"],
  annotations: READS,
  args: z.strictObject({ name }),
  answer: ScheduleRuns,
  run: ({ name }, edge) => edge({ method: "GET", path: path`/schedules/${name}/runs` }),
});

const setSchedule = defineTool({
  name: "set_schedule",
  title: "Set a schedule",
  description:
    "Makes a schedule, or replaces all settings of the one of that name: fields that you leave out have their defaults, so look first. " +
    "Give `cron` or `every`, and a `task` or a `signal` that each run is; without both the job runs elsewhere and reports its runs. " +
    "`paused` stops and starts it.",
  operations: ["putSchedule"],
  scopes: ["policy:write"],
  annotations: { readOnlyHint: false, destructiveHint: true, idempotentHint: true, openWorldHint: false },
  args: z.strictObject({ name, ...ScheduleInput.shape }),
  answer: Schedule,
  run: ({ name, ...body }, edge) => edge({ method: "PUT", path: path`/schedules/${name}`, body }),
});

const deleteSchedule = defineTool({
  name: "delete_schedule",
  title: "Delete a schedule",
  description:
    "Deletes a schedule with its history. Tasks that it has made stay. To stop it for a while, set it `paused`.",
  operations: ["deleteSchedule"],
  scopes: ["policy:write"],
  annotations: { readOnlyHint: false, destructiveHint: true, idempotentHint: true, openWorldHint: false },
  args: z.strictObject({ name }),
  answer: z.object({}),
  run: ({ name }, edge) => edge({ method: "DELETE", path: path`/schedules/${name}` }),
});

const runSchedule = defineTool({
  name: "run_schedule",
  title: "Run a schedule now",
  description:
    "Makes a run now, beside the times of the schedule, which stay. Refused where `overlap` does not allow it, and where the job runs " +
    "elsewhere. `run` is the id of its task.",
  operations: ["runSchedule"],
  scopes: ["policy:write"],
  annotations: { readOnlyHint: false, destructiveHint: false, idempotentHint: false, openWorldHint: false },
  args: z.strictObject({ name }),
  answer: z.object({ run: z.string().meta({ description: "Id of the run, and of its task" }) }),
  run: ({ name }, edge) => edge({ method: "POST", path: path`/schedules/${name}/run` }),
});

/** What is done at certain times. */
export const scheduleTools = [listSchedules, listScheduleRuns, setSchedule, deleteSchedule, runSchedule];
